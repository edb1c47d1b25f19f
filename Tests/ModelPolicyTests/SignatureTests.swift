import Foundation
import Testing

@testable import ModelPolicy

@Suite struct SignatureTests {
    private let shop: KeyShop
    private let message = Array("a statement".utf8)

    init() throws { shop = try KeyShop() }

    private func weVerify(
        _ signature: [UInt8],
        of message: [UInt8],
        namespace: String = ApprovalStatement.namespace
    ) -> Bool {
        (try? SSHSignature(armoured: signature).verify(message, namespace: namespace)) != nil
    }

    @Test(arguments: [
        ["ed25519"], ["ecdsa", "-b", "256"], ["ecdsa", "-b", "384"], ["ecdsa", "-b", "521"], ["rsa", "-b", "2048"],
        ["rsa", "-b", "3072"],
    ])
    func weAndOpenSSHAgreeOnKeysOfEachType(_ type: [String]) throws {
        let line = try shop.key("ada", type)
        let signers = "ada@example.com \(line)\n"
        let list = try #require(allowed(signers).signers)
        // An ECDSA number begins with a zero byte in one signature of 128.
        for (number, hash) in Array(repeating: ["sha256", "sha512"], count: 4).joined().enumerated() {
            let message = message + [UInt8(number)]
            let signature = try shop.sign(message, by: "ada", options: ["-O", "hashalg=\(hash)"])
            #expect(weVerify(signature, of: message))
            #expect(try SSHSignature(armoured: signature).key == list.signers[0].key)
            #expect(try shop.sshVerifies(signature, of: message, signers: signers, as: "ada@example.com"))
            #expect(!weVerify(signature, of: message + [0]))
            #expect(!weVerify(signature, of: message, namespace: "git"))
            #expect(!(try shop.sshVerifies(signature, of: message + [0], signers: signers, as: "ada@example.com")))
        }
        #expect(try SSHPublicKey(line: line).type == line.split(separator: " ").first.map(String.init))
    }

    @Test(arguments: [["ed25519"], ["ecdsa", "-b", "521"], ["rsa", "-b", "2048"]])
    func everyPrefixAndEveryFlippedByteIsRefused(_ type: [String]) throws {
        _ = try shop.key("ada", type)
        let armoured = try shop.sign(message, by: "ada")
        #expect(weVerify(armoured, of: message))
        let text = String(decoding: armoured, as: UTF8.self).trimmingCharacters(in: .whitespacesAndNewlines)
        for count in 0..<text.utf8.count { #expect(!weVerify(Array(text.utf8.prefix(count)), of: message)) }
        let body = text.split(separator: "\n").dropFirst().dropLast().joined()
        let blob = try #require(Base64.decode(body.utf8))
        for count in 0..<blob.count {
            #expect(throws: SSHSignatureError.self) { try SSHSignature(blob: Array(blob.prefix(count))) }
        }
        #expect(throws: SSHSignatureError.self) { try SSHSignature(blob: blob + [0]) }
        for index in blob.indices {
            // Of the quick type every bit.
            for bit in type == ["ed25519"] ? Array(0..<8) : [index % 8] {
                var flipped = blob
                flipped[index] ^= 1 << UInt8(bit)
                let isTaken =
                    (try? SSHSignature(blob: flipped).verify(message, namespace: ApprovalStatement.namespace)) != nil
                #expect(!isTaken, "bit \(bit) of byte \(index)")
            }
        }
    }

    @Test func whatStandsAroundTheArmourIsRefused() throws {
        let armoured = String(decoding: try shop.sign(message, by: "ada"), as: UTF8.self)
        let signers = try shop.signers("ada")
        #expect(weVerify(Array((armoured + "\n\n").utf8), of: message))
        // OpenSSH takes no other ends of lines.
        let windows = Array(armoured.replacingOccurrences(of: "\n", with: "\r\n").utf8)
        #expect(!weVerify(windows, of: message))
        #expect(!(try shop.sshVerifies(windows, of: message, signers: signers, as: "ada@example.com")))
        let around = [
            "x" + armoured, " " + armoured, armoured + "x", armoured + armoured, "", "\n", armoured.lowercased(),
        ]
        for bad in around { #expect(!weVerify(Array(bad.utf8), of: message)) }
        let long = Array(armoured.utf8) + [UInt8](repeating: 0x0A, count: ApprovalLimits.signatureBytes)
        #expect(!weVerify(long, of: message))
    }

    @Test func whatIsNotVerifiedIsRefusedByItsName() throws {
        func key(_ type: String) -> [UInt8] { SSHWire.string(Array(type.utf8)) + SSHWire.string([1, 2, 3]) }
        func blob(_ key: [UInt8], hash: String = "sha512") -> [UInt8] {
            let fields = [key, Array(ApprovalStatement.namespace.utf8), [], Array(hash.utf8), [0]]
            return Array("SSHSIG".utf8) + [0, 0, 0, 1] + fields.flatMap { SSHWire.string($0) }
        }
        let names = [
            "sk-ssh-ed25519@openssh.com", "sk-ecdsa-sha2-nistp256@openssh.com", "ssh-ed25519-cert-v01@openssh.com",
            "ssh-dss",
        ]
        for name in names {
            #expect { try SSHSignature(blob: blob(key(name))) } throws: { error in
                guard case SSHSignatureError.unsupportedKey(let what) = error else { return false }
                return what.hasPrefix(name)
            }
        }
        #expect(throws: SSHSignatureError.unsupportedHash("sha1")) {
            try SSHSignature(blob: blob(key("ssh-dss"), hash: "sha1"))
        }
        let small = try shop.key("small", ["rsa", "-b", "1024"])
        #expect { try SSHPublicKey(line: small) } throws: {
            if case SSHSignatureError.unsupportedKey = $0 { true } else { false }
        }
    }

    @Test func theFingerprintIsTheOneThatOpenSSHShows() throws {
        let line = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIDx7Z+nxOSsQ89nXQr03N24HcJEJ8Sf+gmmOzWiXyFQR"
        // ssh-keygen -l -f
        #expect(try SSHPublicKey(line: line).fingerprint == "SHA256:vCzxICuQM9mft36auwj/jKorgWkHtgYDTAb81FGts8Y")
    }

    @Test func base64HasOneTextForEachBytes() {
        for count in 0..<40 {
            let bytes = (0..<count).map { UInt8(truncatingIfNeeded: $0 &* 97 &+ count) }
            #expect(Base64.encode(bytes) == Data(bytes).base64EncodedString())
            #expect(Base64.decode(Base64.encode(bytes).utf8) == bytes)
        }
        for bad in ["A", "AA", "AAA", "AB==", "AAB=", "A===", "====", "AA=A", "AA==AAAA", "A A=", "AAA-"] {
            #expect(Base64.decode(bad.utf8) == nil, "\(bad)")
        }
    }
}
