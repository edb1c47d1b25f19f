import Testing

@testable import ModelPolicy
