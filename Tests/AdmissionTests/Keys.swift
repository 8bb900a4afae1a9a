import Testing
import Wire

@testable import Admission

/// Keys that open nothing but these tests.
enum Keys {
  static let rsa = """
    -----BEGIN PRIVATE KEY-----
    MIIEvQIBADANBgkqhkiG9w0BAQEFAASCBKcwggSjAgEAAoIBAQCeTFyCGmVaeGdO
    bh/CNaIf7/fssEhyoaFdQ8tignXnjHTFuXdLcstSp3zd8+60BPcoKgxKT/H9IJtj
    fYoAUlvPdsidJCC9/wbgK+Ng3XtYireF2sXuHufqhTxCbGfgYa0hWZpc9IWnL6Do
    aOtBjZ3RZbYFPOo6vGRF1RDS6y7A8y8oaHRUEaJ5te3rmRMhcA8cycGzZiGtLBzf
    BwPcuBrKwjS2NJpinKgm5JKwxAdCaPQE7A5+QrmjK+lZJLuQfBey569HD+Uf5k4p
    aY8mhua/lFrU9GVhLy2Zz7Au88Iu3rVu15z/H912TkwSN4w9fGy93M34YTVRp9p4
    i3EKfkI1AgMBAAECggEAGP7FP6zj0pp+83ErlhqqaCEX1HmMYv9XD7c3+uzPKbnx
    qVPs/I6agMleC9zr1OSQ0zh6etRvSTEYIChPPVhD03k12aw9+Eo333dGnsGyK4ux
    yVK/XKdoJs2Vc4aTC2jY8dJob6OTpA+++FuyxAXUxN7q1B5nfNFJAwbO8oL8va4Y
    8GsAkeVBDk307Eg1q2pdnnjf7gHbznur44SfGTp/NxQ+JgTO2efOX2R/MCV8mKi8
    YwdPiUq2tDZmBAnp/muJHnr/5bE3EGNb8ur+AX9X8EleUZaBhRZ5QmPSq6h6fUWL
    WU+V5YMasmsigeMJNUAfGN1lDPhwyrka2YaEJz4AeQKBgQDMP5RfTlul6Q8e5GLl
    x7J7xdOD7rSs9EZUhf8PmZa0+UfPe7dFmpTBDjXU4TfkI46i4Az53KfKIImrwxjq
    WRwCQrm05esqEicBNW7SPk9xH9gDFIgARn8v+751bIZUJfIAbBLcDYFK54kfNh06
    6IUd14QiIOen04PjgRipax/saQKBgQDGaEOVvs7+AS4yYNE7o95XP2xh4Id6tn+d
    qCaSQh0jTpZ8jOaVkoYZZa8w4NRAAu7ynjCyimgd3agN/acU0xKKPZSNkZW3pLc7
    08C6Yk+bFlF2uBjZtO6bifcarJRm0tbcKb1O9wysEACEvIw8buPXwN+7q+XwGKWx
    BxYeC9Sd7QKBgGH7EiNSRLbngcBxEVxnmyCzOw+sYHIj0OVVTpFePaTdfOx0zeuP
    B1NBjONtk1FXGWLbFn56sudNCp4iPn6VdtFCzzGPpmuNP7bduicTiyqaexanL8Lq
    DrOnEavk/t+5QEmhjr6Pn/md7vLRE96hktJJA/MXU+n3lup5kKodYLgZAoGBAIB6
    J7miE1u72/RXaWXbWTDaKw6+XDyETOMEbeWr1j50t1Hz06TretabV/SowgipXZ3R
    /eq/YWhljltw826yt4C5G6cIrRB8IwMkvdpzquTccOgVklH3rcMeddraAkcLJILw
    rFuj8prAyfUqOw0vKW8ewEJAr+bnrvORiSrvskCJAoGAEcZx4OgKxXZWKmXMNceJ
    JOP0j9GCqGtOD/E1+/jWQXQk+/GszDEbE/2aVAScMgW/uxPfqabHQP3yMVxJWht+
    HyQ87DCqfLNi7hXyqgtX4zWZhoNRB1SDy7E2VKmKUURuICeB9/HsZBg8NaBq5m4f
    U569lrbNY08C25w0UxyBGts=
    -----END PRIVATE KEY-----
    """
  /// The same key as a JSON Web Key.
  static let rsaJWK = """
    {"kty":"RSA","kid":"rsa","e":"AQAB","n":"\
    nkxcghplWnhnTm4fwjWiH-_37LBIcqGhXUPLYoJ154x0xbl3S3LLUqd83fPutAT3KCoMSk_x_SCbY32KAFJbz3bInS\
    Qgvf8G4CvjYN17WIq3hdrF7h7n6oU8Qmxn4GGtIVmaXPSFpy-g6GjrQY2d0WW2BTzqOrxkRdUQ0usuwPMvKGh0VBGi\
    ebXt65kTIXAPHMnBs2YhrSwc3wcD3LgaysI0tjSaYpyoJuSSsMQHQmj0BOwOfkK5oyvpWSS7kHwXsuevRw_lH-ZOKW\
    mPJobmv5Ra1PRlYS8tmc-wLvPCLt61btec_x_ddk5MEjeMPXxsvdzN-GE1UafaeItxCn5CNQ\
    ","d":"\
    GP7FP6zj0pp-83ErlhqqaCEX1HmMYv9XD7c3-uzPKbnxqVPs_I6agMleC9zr1OSQ0zh6etRvSTEYIChPPVhD03k12a\
    w9-Eo333dGnsGyK4uxyVK_XKdoJs2Vc4aTC2jY8dJob6OTpA---FuyxAXUxN7q1B5nfNFJAwbO8oL8va4Y8GsAkeVB\
    Dk307Eg1q2pdnnjf7gHbznur44SfGTp_NxQ-JgTO2efOX2R_MCV8mKi8YwdPiUq2tDZmBAnp_muJHnr_5bE3EGNb8u\
    r-AX9X8EleUZaBhRZ5QmPSq6h6fUWLWU-V5YMasmsigeMJNUAfGN1lDPhwyrka2YaEJz4AeQ\
    "}
    """
  static let rsaPublic = """
    -----BEGIN PUBLIC KEY-----
    MIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8AMIIBCgKCAQEAnkxcghplWnhnTm4fwjWi
    H+/37LBIcqGhXUPLYoJ154x0xbl3S3LLUqd83fPutAT3KCoMSk/x/SCbY32KAFJb
    z3bInSQgvf8G4CvjYN17WIq3hdrF7h7n6oU8Qmxn4GGtIVmaXPSFpy+g6GjrQY2d
    0WW2BTzqOrxkRdUQ0usuwPMvKGh0VBGiebXt65kTIXAPHMnBs2YhrSwc3wcD3Lga
    ysI0tjSaYpyoJuSSsMQHQmj0BOwOfkK5oyvpWSS7kHwXsuevRw/lH+ZOKWmPJobm
    v5Ra1PRlYS8tmc+wLvPCLt61btec/x/ddk5MEjeMPXxsvdzN+GE1UafaeItxCn5C
    NQIDAQAB
    -----END PUBLIC KEY-----
    """
  static let ecdsa = """
    -----BEGIN PRIVATE KEY-----
    MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQg9Mr13Xyu8pbsXHNt
    rLziCxJKuIAg+F/rMMVVSksQxEqhRANCAARVEOGfr/Z22Z6L0ixMEH+vmkFqPMMc
    qFfNhd3iB6uU6mgGikfstDEU2+Rn/bm8cPdLPUSJC81PFNMdxwaBBcrc
    -----END PRIVATE KEY-----
    """
  static let ecdsaPublic = """
    -----BEGIN PUBLIC KEY-----
    MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEVRDhn6/2dtmei9IsTBB/r5pBajzD
    HKhXzYXd4gerlOpoBopH7LQxFNvkZ/25vHD3Sz1EiQvNTxTTHccGgQXK3A==
    -----END PUBLIC KEY-----
    """
  static let eddsa = """
    -----BEGIN PRIVATE KEY-----
    MC4CAQAwBQYDK2VwBCIEIC8Fqdi+FJpsi9UkKe6QHD/dI1kKmmz9sfr7qgfcAqmT
    -----END PRIVATE KEY-----
    """
  static let eddsaPublic = """
    -----BEGIN PUBLIC KEY-----
    MCowBQYDK2VwAyEASdlClnPbjuZ8wzp+drV2hnQR51YgSs/XShI5zvZhLak=
    -----END PUBLIC KEY-----
    """
  static let smallRSA = """
    -----BEGIN PUBLIC KEY-----
    MIGfMA0GCSqGSIb3DQEBAQUAA4GNADCBiQKBgQCvI1XVCSfN6eNuZfPx5TN49CYC
    VCMbFWFQy5kSUAnltfo2Q9SVgDH51L7hir3sceTuCi6oMbk4wEkCer9sKjIyM0fF
    756+LDVnbryahtcKcjfKFOV19TCKtSugS9vnQmiddyLZOlXEdfYuDwyJ1rey1nKQ
    CHscDoDAlw+YFEJSuQIDAQAB
    -----END PUBLIC KEY-----
    """
  static let otherCurve = """
    -----BEGIN PRIVATE KEY-----
    MIG2AgEAMBAGByqGSM49AgEGBSuBBAAiBIGeMIGbAgEBBDB+FZ6aSfI83T78uPb0
    SpbLqF59Z6lHfkPBCLtzKXTnP7mTaN8pNQgbsAWScBwX94KhZANiAATuPEkO301r
    H7rcljCKQG8WZM12f9zuVHfIMzj73KWFdbrQeKf5256+qx5zhry+kds3cVEP1vX+
    GhsKzPbJey8w3b6GI0d71qnz4M34LC9JYv+n6HpzN7bsPXCqTVsxHCU=
    -----END PRIVATE KEY-----
    """
  static let ecdsaWithParameters = """
    -----BEGIN EC PARAMETERS-----
    BggqhkjOPQMBBw==
    -----END EC PARAMETERS-----
    -----BEGIN EC PRIVATE KEY-----
    MHcCAQEEIEYMJJKEsJOHjIC2mc4j33fZqWuw0ZAQB1PCsIkrEQr0oAoGCCqGSM49
    AwEHoUQDQgAESuHOyRbcQtG53fCLMt7feuXaaWYOotlxEEX83GkSEaZ80tB7eVJQ
    ySb2WYjyOPq4DItUkdWfOs1WClThyhaq0A==
    -----END EC PRIVATE KEY-----
    """
  static let certificate = """
    -----BEGIN CERTIFICATE-----
    MIIBbTCCAROgAwIBAgIUDgjn0h5xmtS53Vzoyj+mwxY0suYwCgYIKoZIzj0EAwIw
    DDEKMAgGA1UEAwwBeDAeFw0yNjExMjEwOTI0NDFaFw0zNjExMTgwOTI0NDFaMAwx
    CjAIBgNVBAMMAXgwWTATBgcqhkjOPQIBBggqhkjOPQMBBwNCAARVEOGfr/Z22Z6L
    0ixMEH+vmkFqPMMcqFfNhd3iB6uU6mgGikfstDEU2+Rn/bm8cPdLPUSJC81PFNMd
    xwaBBcrco1MwUTAdBgNVHQ4EFgQUl4oZx1d1TX2umICP1Hyhuo/n47UwHwYDVR0j
    BBgwFoAUl4oZx1d1TX2umICP1Hyhuo/n47UwDwYDVR0TAQH/BAUwAwEB/zAKBggq
    hkjOPQQDAgNIADBFAiEAwXqZ1Nz4OafjdoVYG1EQMt4fF7t32uFTm4ucc7pJcVkC
    IDZWoUYwbhqDB90FOVO0CDWR0i1FGpciaTo2FpAbbbh+
    -----END CERTIFICATE-----
    """
  static let secret = "a secret of more than 32 bytes, surely"

  static func read(_ text: String) throws -> TokenKey {
    try #require(TokenKey.read(Array(text.utf8)).first)
  }
}
