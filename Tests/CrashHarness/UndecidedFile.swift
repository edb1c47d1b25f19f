/// A file at the moment of a power loss: what the disk had, and what of it may have changed.
struct UndecidedFile {
    private typealias Node = SimulatedDisk.Node
    private static let size = SimulatedDisk.sectorSize

    private struct Sector {
        var index: Int
        /// Contents that may be there instead of what the disk had.
        var versions: [[UInt8]]
        /// The hash of each version that fills its sector.
        var hashes: [UInt64]
    }

    private let old: [UInt8]
    private let sectors: [Sector]
    private let lengths: [Int]
    /// The sum of the hashes of the first so many whole sectors of `old`.
    private let sums: [UInt64]
    /// Whether only the first line counts: the second names a process and a time.
    var isNote = false

    /// How many ways each sector and the length can go.
    let ways: [Int]

    init(_ node: SimulatedDisk.Node) {
        old = node.disk
        lengths = node.lengths
        sectors = node.dirty.sorted { $0.key < $1.key }.compactMap { index, versions in
            let others = versions.filter { !node.diskHolds($0, at: index) }
            if others.isEmpty { return nil }
            let hashes = others.map { $0.count == Self.size ? Self.hash($0[...], at: index) : 0 }
            return Sector(index: index, versions: others, hashes: hashes)
        }
        ways = sectors.map { $0.versions.count + 1 } + (lengths.isEmpty ? [] : [lengths.count + 1])
        var sums: [UInt64] = [0]
        for index in 0..<(old.count / Self.size) {
            let sector = old[(index * Self.size)..<((index + 1) * Self.size)]
            sums.append(sums[index] &+ Self.hash(sector, at: index))
        }
        self.sums = sums
    }

    /// The length that was reached, and how much of the old contents was never cut off.
    private func reach(_ way: ArraySlice<Int>) -> (length: Int, kept: Int) {
        guard !lengths.isEmpty, let reached = way.last, reached > 0 else { return (old.count, old.count) }
        let length = lengths[reached - 1]
        return (length, min(old.count, length, lengths[..<reached].min() ?? length))
    }

    /// What the file holds if each sector, and the length, went this way.
    func contents(_ way: ArraySlice<Int>) -> [UInt8] {
        let (length, kept) = reach(way)
        var chosen: [Int: [UInt8]] = [:]
        for (sector, version) in zip(sectors, way) where version > 0 {
            chosen[sector.index] = sector.versions[version - 1]
        }
        if chosen.isEmpty, length == old.count, kept == length { return old }
        return SimulatedDisk.Node.image(old, length: length, sectors: chosen, zeroedFrom: kept)
    }

    /// The sum of the hashes of all sectors, padded with zeroes, and of the length.
    func fingerprint(_ way: ArraySlice<Int>) -> UInt64 {
        if isNote {
            let bytes = contents(way)
            return Self.mix(Self.hash(bytes.prefix(91), at: 0) &+ UInt64(bytes.count))
        }
        let (length, kept) = reach(way)
        let whole = kept / Self.size
        var sum = sums[whole]
        for index in whole..<max(whole, (length + Self.size - 1) / Self.size) {
            sum &+= hash(ofSector: index, over: nil, length, kept)
        }
        for (sector, version) in zip(sectors, way) where version > 0 && sector.index * Self.size < length {
            sum &-=
                sector.index < whole
                ? sums[sector.index + 1] &- sums[sector.index] : hash(ofSector: sector.index, over: nil, length, kept)
            let fills = sector.versions[version - 1].count == Self.size && (sector.index + 1) * Self.size <= length
            sum &+=
                fills
                ? sector.hashes[version - 1]
                : hash(ofSector: sector.index, over: sector.versions[version - 1], length, kept)
        }
        return Self.mix(sum ^ Self.mix(UInt64(length)))
    }

    /// Of a sector as `SimulatedDisk.Node.image` would make it.
    private func hash(ofSector index: Int, over content: [UInt8]?, _ length: Int, _ kept: Int) -> UInt64 {
        let start = index * Self.size
        var sector = Array(old[min(start, kept)..<min(start + Self.size, kept)])
        if let content {
            let count = min(content.count, length - start)
            if sector.count < count { sector += repeatElement(0, count: count - sector.count) }
            sector.replaceSubrange(..<count, with: content[..<count])
        }
        return Self.hash(sector[...], at: index)
    }

    // MARK: Hashing

    static func mix(_ value: UInt64) -> UInt64 {
        let mixed = (value ^ value >> 29) &* 0xBF58_476D_1CE4_E5B9
        return mixed ^ mixed >> 32
    }

    /// Zero, which does not count, for the names of files that are on their way: those end in 32 digits.
    static func hash(ofName name: String) -> UInt64 {
        name.utf8.count > 40 ? 0 : name.utf8.reduce(0xCBF2_9CE4_8422_2325) { mix($0 ^ UInt64($1)) } | 1
    }

    /// Zeroes at the end do not count: a sector is as if padded with them.
    private static func hash(_ bytes: ArraySlice<UInt8>, at index: Int) -> UInt64 {
        var sum: UInt64 = 0
        bytes.withUnsafeBytes { bytes in
            // Word for word, each with its place: the processor works on several at once.
            var offset = 0
            while bytes.count - offset >= 8 {
                let word = bytes.loadUnaligned(fromByteOffset: offset, as: UInt64.self)
                if word != 0 { sum &+= mix(word &+ UInt64(offset + 1) &* 0x9E37_79B9_7F4A_7C15) }
                offset += 8
            }
            var word: UInt64 = 0
            for (place, byte) in bytes[offset...].enumerated() { word |= UInt64(byte) << (8 * UInt64(place)) }
            if word != 0 { sum &+= mix(word &+ UInt64(offset + 1) &* 0x9E37_79B9_7F4A_7C15) }
        }
        return sum == 0 ? 0 : mix(sum &+ UInt64(index) &* 0x94D0_49BB_1331_11EB)
    }
}
