print("swarmoracle")
