import Foundation
import JSONText
import Testing

@testable import ModelPolicy

@Suite struct ExampleTests {
    @Test func theExampleHasNothingWrong() throws {
        let result = PolicyCompiler.compile(workspace: SourceFile(name: examplePath, bytes: try bytes(of: examplePath)))
        #expect(told(result) == [])
        let snapshot = try #require(result.snapshot)
        let again = try CompiledSnapshot(canonicalJSON: snapshot.canonicalJSON)
        #expect(again == snapshot)
        #expect(snapshot.policy.canonicalJSON == snapshot.canonicalJSON)
    }

    @Test func theSpecOfTheExampleHasNothingWrong() throws {
        let result = PolicyCompiler.compile(
            workspace: SourceFile(name: examplePath, bytes: try bytes(of: examplePath)),
            spec: SourceFile(name: specPath, bytes: try bytes(of: specPath))
        )
        #expect(told(result) == [])
    }

    @Test func aSmallPolicyHasNothingWrong() {
        #expect(told(compile(small)) == [])
    }
}
