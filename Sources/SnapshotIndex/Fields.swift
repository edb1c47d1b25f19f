import Capsule
import Foundation
import GRDB

/// Reads columns that may hold anything: a damaged page can be a well-formed one.
struct Fields {
    private let row: Row
    init(_ row: Row) { self.row = row }

    private func value(_ column: Int) -> DatabaseValue.Storage {
        guard column < row.count else { return .null }
        return (row[column] as DatabaseValue).storage
    }

    func optionalInteger(_ column: Int) throws(IndexFault) -> Int64? {
        switch value(column) {
        case .int64(let integer): return integer
        case .null: return nil
        default: throw .damaged("column \(column) is no integer")
        }
    }

    func integer(_ column: Int) throws(IndexFault) -> Int64 {
        guard let integer = try optionalInteger(column) else { throw .damaged("column \(column) is null") }
        return integer
    }

    func unsigned(_ column: Int) throws(IndexFault) -> UInt64 { UInt64(bitPattern: try integer(column)) }

    func time(_ column: Int) throws(IndexFault) -> Timestamp { Timestamp(nanoseconds: try integer(column)) }

    func optionalText(_ column: Int) throws(IndexFault) -> String? {
        switch value(column) {
        case .string(let text): return text
        case .null: return nil
        default: throw .damaged("column \(column) is no text")
        }
    }

    func digest(_ column: Int) throws(IndexFault) -> Digest {
        guard case .blob(let data) = value(column), data.count == 32, let digest = Digest(data) else {
            throw .damaged("column \(column) is no digest")
        }
        return digest
    }

    func optionalDigest(_ column: Int) throws(IndexFault) -> Digest? {
        if case .null = value(column) { return nil }
        return try digest(column)
    }

    func optionalIdentifier<ID: SixteenByteID>(_ column: Int, _: ID.Type = ID.self) throws(IndexFault) -> ID? {
        if case .null = value(column) { return nil }
        return try identifier(column)
    }

    func bytes(_ column: Int, count: Int? = nil) throws(IndexFault) -> [UInt8] {
        guard case .blob(let data) = value(column), count == nil || data.count == count else {
            throw .damaged("column \(column) is not the bytes that it should be")
        }
        return Array(data)
    }

    func identifier<ID: SixteenByteID>(_ column: Int, _: ID.Type = ID.self) throws(IndexFault) -> ID {
        guard case .blob(let data) = value(column), data.count == 16, let id = ID(data) else {
            throw .damaged("column \(column) is no identifier")
        }
        return id
    }
}

extension SixteenByteID {
    /// As it stands in the index.
    var blob: DatabaseValue { withUnsafeBytes { Data($0).databaseValue } }
}

extension Digest {
    /// As it stands in the index.
    var blob: DatabaseValue { withUnsafeBytes { Data($0).databaseValue } }
}

extension UInt64 {
    /// The signed number of the same bits, as it stands in the index.
    var signed: Int64 { Int64(bitPattern: self) }
}
