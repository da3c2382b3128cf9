import Crypto

/// Digests computed with Python 3's `hashlib.blake2b(data, digest_size=32, person=tag, salt=salt)`,
/// which is the reference implementation of the BLAKE2 authors.
enum Blake2bVectors {
  /// Per tag: "abc" without salt, and the bytes 0, 1, ... 299 (modulo 256) with salt 1, 2, ... 16.
  static let tags: [(tag: HashTag, plain: String, salted: String)] = [
    (
      .lane,
      "8fd7f3c3ba8429980e2dc0a22de2ec4c413d88716ecfe93d585598c9a9ef1249",
      "f64c0616960ef01745761548cb4b51b598d896ba0a14aa36a0e996c2bf411159"
    ),
    (
      .operationLeaf,
      "6ede10ea042c7b7338e766171265197349274aa1b124ab576955777c184dd946",
      "2a232839ac131c349cb01e6de590605e709fb5efac977b34c813c1b3a096470c"
    ),
    (
      .operationNode,
      "4f2817b8b09cdfda6911f6ea6372b80d5651c99b7d1299ca22bcd2f4c87a4629",
      "61c8bfd9dfc28644e870ea188070547d9a9ea7533f5b266a9723829c72e5cd74"
    ),
    (
      .bundleHeader,
      "a10e415e7d33f1a4d85239d791393ec86210e415271bc1892c6e0d73e589b417",
      "7e97a1a94694cd0f454ee86cb888276ce83606220d255074be329e93f4bc0c0b"
    ),
    (
      .rangeNode,
      "0d50e2ac33ff130a590308d419d29cbd7033f19ebfb88b515750cb9ae31c9b09",
      "5eefdae9b02c817954f6e2045ed7ac7e21221f0ec5832a39a143e21e0f53911e"
    ),
    (
      .rangeRoot,
      "daeb77474de88c50ed235498674c5d277986ba6c11b0a375c8f375f211a4dbc3",
      "79c7bdc0f2bea59b5886c0be89b4396d2108a4f8915f0a7304b844804e5285a1"
    ),
    (
      .laneHeadLeaf,
      "c16f9bbcdaeddeb5df2ba9c71597bc7e427b64a0e8548170a8959f4d89901652",
      "1a6ac7261a98722c7b53063eac5ac39d9ff1f8f94eb91ca9b5428d13ad82cbce"
    ),
    (
      .laneHeadNode,
      "505713293c3e4681c8c35756aaa3550b6b4d7832592ff88d8aad385d30976152",
      "425cfde8c9660f15f546d6adf6ebf87de80c797ca1d323de91c22f5f9cb143c5"
    ),
    (
      .row,
      "ea37624420fbf32f79652c771361ad2104e75749ccb95be6edacfe9ef34bdae7",
      "d2fa3d7b7a131d86875bda012ec9ca5be1d04bae0b702de56c64fa0e2a87b41b"
    ),
    (
      .rowElement,
      "ce4f2f7173555d525bbd8acbded684422a75d60a3c6cda6925960fc1d7a1b015",
      "e8f5780c064b8ac6272b9174101a92627380cb6eaab21775bfbe1500fba4d818"
    ),
    (
      .rowSet,
      "10ddb6e19239d7be9007207906829a16aa916d1c86fb37b742325a19c221a012",
      "08ef55277814c847863a01ee2ae2bf4dc395b8511ebd4e40cbecab438f063f9a"
    ),
    (
      .cluster,
      "a6de095335ceae976735a8812866f6bb5a08fe3c37b7727d6eb225f539097849",
      "fdb9bd261caf13041fa2499177c33da5df65d2b991b7ea501cbcf4cf806a9399"
    ),
    (
      .swarm,
      "07e797e746beb1751e8eaa3b1455c5a7fe3522f646e5eac8e23df1615a7e271a",
      "09f77cc106c5528e5d51fdbbf9067a84a013daf20bc564506e5f0385b807e84e"
    ),
    (
      .bearerToken,
      "0e5170cc863ba780cdc9064840007ff2d9f6980f774ecb5e4f48f62becc23e10",
      "596b035519cf54f4a46ce99757d353cf4c5fa9613b3d8364383c5b15b302c32d"
    ),
    (
      .ticket,
      "c95d8c85690ca70d181932a6d5f0102614a323dabbcbc361be6a536eb8c27ce0",
      "9e268d04f31fc6d6fe17c4a2ae52b1fcb9c1656c7c4e0d14cb5223e03494eaa1"
    ),
    (
      .join,
      "1bc2c4e32ede32e4aa084a4038524ffec52c419fc6eb8237b982a5df2d4dbd47",
      "3ece61f6e9fe17e0c04d280155688e07b34dc87ae1ea1cc8fa77433e0aedabe1"
    ),
    (
      .idempotency,
      "13b29c14f1b5e961406175c67467ada4fe353349146bbcec1b52192a6d1876e8",
      "efe79382d094f5804689d1bfd1e927933f9631401fd6016c93e27dad3a309bea"
    ),
    (
      .answerKey,
      "0ba20a0e5752880ef35450257c4bbe2f84d82f948fe241a2afac55b61a09d85b",
      "485653ea3adcbf75655cec36f15f83b86856de4a10a7c08deebbb5b6c2d3b636"
    ),
    (
      .seed,
      "5d8be9300d3498fcf081c7f83617f41c5886975459561528d14bd83afb719a4b",
      "a725f4918006c3f3191b8eb7d8fe4d587865c1590cef4f3a8f221b5ec2cdc830"
    ),
    (
      .controlMember,
      "c3e80d11784ed852fadafd5022d2f9387eb13489d64daa8d09536001d9f65b04",
      "c744be676d9db2e77612196ef77242a1c92e1c5734b8c074c9d9b5d015ceb332"
    ),
    (
      .controlChunk,
      "f771127d4488e70eca32582bb808862cef1255ef3a62af0a1b53298f0911b55a",
      "ab9df9ec8210307d52ad101c6a83876e912e95f8d4868a6bd6de62c660581573"
    ),
    (
      .controlRecord,
      "5b6ee6e4b1d3379b13782a905281f47794343a00903c9671b887026a696b8b6c",
      "575174773d49c750398c2ede792e3df055d179f89de83e64e2e7d7a63f903c4d"
    ),
    (
      .controlOperation,
      "f497cdaf7aaaa25092bb4befe9f18c12c7ae20f36bca0cb45a62f9bd4fd2229e",
      "5d53307a4ef619ba2ae83a3e9046a7889ea49ffc349d14bb2ed1d0a10c7710e9"
    ),
    (
      .controlState,
      "b232206fe008a8d393c225a9ba96ee45d479a16f3b932e0738657ad250e5f3ad",
      "12a565b46b498f197bb4365104ec86d934465725a8a3a6685937a046ed1dbc0d"
    ),
    (
      .relay,
      "d9024a944585e4a430a4ec370ff703121b200d4287519f4f9831741ee827883b",
      "c7f3a87e8679c791d4debed5f9a99669ad4903f4a7c638130e0f39ebaf2f5fc2"
    ),
    (
      .record,
      "6ad195bb1672c1014fb37a2b83e45b59a7c16fd117f6179e38027b3d57eec594",
      "4b3e95c3a054eaef049a654442701bb989883f2edea05c4eaddd8ff5106ad84f"
    ),
    (
      .audit,
      "09b7a7805fb85a96b6d0e7792b93905731505a0cab3cbcf950318816b495a50c",
      "450998a1b8331364c400ebbadd99d686fa70edc6e4fd5b4845d4aa3235f1bd51"
    ),
    (
      .coordinatorView,
      "75f615f1dd35ef44da487d0956a2eab4fabd3a9b21761f6e96eb9f09e16151c8",
      "7da244d6097e326f3d9e10bc99afada2e0bfbb9e139719c5bff35a1b0a237879"
    ),
  ]

  /// The bytes 0, 1, ... (modulo 256) of some count under the tag for audits: around the 128 bytes
  /// of a block.
  static let counts: [(count: Int, digest: String)] = [
    (0, "9f9d05c838c2dc2cfa1a4cb6036f07c6a8c8a1e7b1a28d76d9c3bde32351268a"),
    (1, "3c44ca69db7506f865fb7311293e918b210fa642384426f03599ce1cfac44479"),
    (63, "97125e49f9b8737a2a72047ccd36724bdb1383a769f47bffbcf4d00fbbbaed60"),
    (64, "13791c43a34c83be23b2d09632e3460b5a8437e49502d21b75479384cdafc1da"),
    (127, "7991c9bca18c5b0f4d7a69ca2328585bf792c83dc590e8dae3ffa1f00975978c"),
    (128, "643ed43a7fb0c75fa2ecea06ee84f4110adc07f260ccc3f8fe5c0cd1382cf0de"),
    (129, "d3ed6be3dff6002c84f4d0d7e6c82dc0e7040caab8100de6aab53e58257dcd72"),
    (255, "8151992d86b0b234a19110a6950d8c808bac9563970ee522ce2d2348f2408be7"),
    (256, "8b209967da2bb2b9d1b92f557430a9cea0363249f2409f536b69563db98cae3b"),
    (1000, "c0be9de5e5909d32c13f79a23316e4108b7a7a906383cf80b2641f2be3c5ed1f"),
  ]
}
