import ModelPolicy
import Testing

@Suite struct HostileSyntaxTests {
    /// The library asserts that a key begins here, before it says so.
    @Test func whateverByteBeginsAKeyOrAHeaderIsADiagnosticOrAKey() {
        for prefix in ["[", "[[", "[ ", "a.", "[a.", "x = { ", "", "x = [", "x = \"\\"] {
            for byte in UInt8.min...UInt8.max {
                let bytes = Array("schema = 1\n\(prefix)".utf8) + [byte] + Array("b]\n".utf8)
                let result = PolicyCompiler.compile(
                    workspace: SourceFile(name: "model_policy.toml", bytes: bytes, format: .toml))
                #expect(!result.errors.isEmpty, "byte \(byte) after '\(prefix)'")
            }
        }
    }
}
