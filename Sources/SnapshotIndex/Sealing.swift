extension [UInt8] {
    /// Numbers as seals and digests of rows take them in.
    mutating func append(littleEndian numbers: [some FixedWidthInteger]) {
        for number in numbers { Swift.withUnsafeBytes(of: number.littleEndian) { append(contentsOf: $0) } }
    }
}
