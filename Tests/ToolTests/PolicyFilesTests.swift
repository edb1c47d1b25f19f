import Foundation
import Testing

/// The files of a policy in a repository of git, wherever they lie.
@Suite struct PolicyFilesTests {
    private static func repository() throws -> Shop {
        let shop = try Shop(capsule: false)
        let user = "git config user.name Ada; git config user.email ada@example.com; git config commit.gpgsign false"
        try run(shop, "rm policy.json; git init -q -b main . && \(user)")
        return shop
    }

    @discardableResult
    private static func run(_ shop: Shop, _ script: String) throws -> Shop.Answer {
        let answer = try shop.shell("set -e\n" + script)
        guard answer.status == 0 else { throw Shop.Trouble(answer: answer) }
        return answer
    }

    @Test func attributesKeepLinesAsTheyWereSignedAndLeaveBinariesAlone() throws {
        let shop = try Self.repository()
        try Self.run(shop, "$TOOL policy init --name team --owner ada && mkdir -p policy/approvals/00")
        let signature = "-----BEGIN SSH SIGNATURE-----\nU1NI\n-----END SSH SIGNATURE-----\n"
        try shop.write(signature, to: "policy/approvals/00/ada.json.sig")
        let picture = Data([0x89, 0x50, 0x4E, 0x47, 0x0D, 0x0A, 0x1A, 0x0A, 0x00, 0x0D, 0x0A, 0xFF])
        try picture.write(to: URL(fileURLWithPath: shop.path("policy/picture.png")))
        // As a system checks out whose lines end in CRLF.
        try Self.run(
            shop,
            """
            git config core.autocrlf true; git add -A 2>/dev/null; git commit -q -m first
            rm policy/picture.png policy/approvals/00/ada.json.sig && git checkout -q -- policy
            """
        )
        #expect(try shop.bytes("policy/picture.png") == picture)
        #expect(try shop.bytes("policy/approvals/00/ada.json.sig") == Data(signature.utf8))
    }

    @Test func aPolicyInAFolderIsBumpedFromTheRootOfTheRepository() throws {
        let shop = try Self.repository()
        try Self.run(
            shop,
            """
            mkdir sub && cd sub && $TOOL policy init --name team --owner ada && cd ..
            git add -A && git commit -q -m first && git checkout -q -b change
            sed -i 's/^owner .*/owner = "nobody"/' sub/model_policy.toml
            """
        )
        let answer = try Self.run(shop, "$TOOL policy bump --base main --policy sub/model_policy.toml")
        #expect(answer.lines.first == "0.1.0 → 0.1.1 (patch)", "\(answer)")
        let check = try shop.shell("$TOOL policy check --base main --policy sub/model_policy.toml")
        #expect(check.status == 0, "\(check)")
    }
}
