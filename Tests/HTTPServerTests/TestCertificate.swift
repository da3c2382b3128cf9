/// A self-signed certificate for `localhost` and `127.0.0.1`, valid from 2020 to 2120, with its
/// P-256 key. It protects nothing but the connections of these tests.
enum TestCertificate {
  static let certificatePEM = """
    -----BEGIN CERTIFICATE-----
    MIIBZjCCAQ2gAwIBAgIBATAKBggqhkjOPQQDAjAUMRIwEAYDVQQDDAlsb2NhbGhv
    c3QwIBcNMjAwMTAxMDAwMDAwWhgPMjEyMDAxMDEwMDAwMDBaMBQxEjAQBgNVBAMM
    CWxvY2FsaG9zdDBZMBMGByqGSM49AgEGCCqGSM49AwEHA0IABDAqNZS91Yj1r8ub
    6abi5leACiOWxe/1Fr4lXGASse2LsAE/hhOgaJzJpXTaJpRqj/X9xOHSb6MAw5C3
    SyIBaUKjTjBMMBoGA1UdEQQTMBGCCWxvY2FsaG9zdIcEfwAAATAPBgNVHRMBAf8E
    BTADAQH/MB0GA1UdDgQWBBQZqVekaMBtMlbqVm9GAil1U9iR2jAKBggqhkjOPQQD
    AgNHADBEAiAp62WTPe5IXci+nq9hPb8ljYvMHYzQbwbhxJPOkDSCmwIgZLDgWSq5
    nX3kgjQxHl+fFuAp7TCxDMfPKjfgkm8KLGc=
    -----END CERTIFICATE-----

    """

  static let privateKeyPEM = """
    -----BEGIN PRIVATE KEY-----
    MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgExcJaFO8ZJfBul1l
    ZuBk8tgxGEILM/AfMzw3/prvaZ2hRANCAAQwKjWUvdWI9a/Lm+mm4uZXgAojlsXv
    9Ra+JVxgErHti7ABP4YToGicyaV02iaUao/1/cTh0m+jAMOQt0siAWlC
    -----END PRIVATE KEY-----

    """
}
