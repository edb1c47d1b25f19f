extension DiagnosticCode {
    private static let key = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIDx7Z+nxOSsQ89nXQr03N24HcJEJ8Sf+gmmOzWiXyFQR"

    static let guidesOfSigners: [DiagnosticCode: DiagnosticGuide] = [
        .signerLine: DiagnosticGuide(
            "A line of the signers is not whole",
            "A line says names, set apart by commas, perhaps options, the type of the key, and the key. One that does "
                + "not refuses the whole file: it might be anybody's.",
            .signers,
            fault: "ada@example.com, grace@example.com \(key)",
            cure: "ada@example.com,grace@example.com \(key)"
        ),
        .signerOption: DiagnosticGuide(
            "An option of a signer is unknown, or not written as it must be",
            "Options are `namespaces`, `valid-after` and `valid-before`, each with its value in quotes, and "
                + "`cert-authority`. They are set apart by commas without blanks.",
            .signers,
            fault: "ada@example.com valid-befor=\"20271231Z\" \(key)",
            cure: "ada@example.com valid-before=\"20271231Z\" \(key)"
        ),
        .signerTime: DiagnosticGuide(
            "A time of a signer is none",
            "Times are YYYYMMDD, YYYYMMDDHHMM or YYYYMMDDHHMMSS, with a Z behind; `valid-after` is the earlier one.",
            .signers,
            fault: "ada@example.com valid-before=\"2027-12-31\" \(key)",
            cure: "ada@example.com valid-before=\"20271231Z\" \(key)"
        ),
        .signerKey: DiagnosticGuide(
            "The key of a signer cannot be read",
            "It is the second word of the `.pub` file, whole, behind the first.",
            .signers,
            fault: "ada@example.com \(key.dropLast(8))",
            cure: "ada@example.com \(key)"
        ),
        .signerNotVerified: DiagnosticGuide(
            "A signer counts for nothing here",
            "OpenSSH takes certificates and keys of security devices (`sk-…`); this verifier takes Ed25519, ECDSA and "
                + "RSA keys. The line may stay, for git's sake.",
            .signers,
            fault: "*@example.com cert-authority \(key)",
            cure: "ada@example.com \(key)"
        ),
        .signerLocalTime: DiagnosticGuide(
            "A time of a signer has no Z",
            "OpenSSH takes it in the time zone of the machine that it runs on, so that a key is valid here and not "
                + "there. It is taken as strictly as any time zone would.",
            .signers,
            fault: "ada@example.com valid-after=\"20260101\" \(key)",
            cure: "ada@example.com valid-after=\"20260101Z\" \(key)"
        ),
    ]
}
