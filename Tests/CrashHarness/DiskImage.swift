import Capsule

/// A disk at the moment of a power loss, with everything that may or may not have reached it.
public struct CrashPoint {
    /// One file that has a name now, or had one.
    private struct File {
        var node: ObjectIdentifier
        var old: [UInt8]
        /// Sectors with the versions that may be there; version 0 is what the disk had.
        var sectors: [(index: Int, versions: [[UInt8]])]
        var lengths: [Int]
    }

    private var files: [File] = []
    private var names: [String: ObjectIdentifier]
    private var changes: [(name: String, node: ObjectIdentifier?)] = []
    /// How many ways each undecided thing can go.
    private var ways: [Int] = []

    init(_ disk: SimulatedDisk) {
        names = disk.namesOnDisk.mapValues { ObjectIdentifier($0) }
        var nodes: [ObjectIdentifier: SimulatedDisk.Node] = [:]
        for node in disk.namesOnDisk.values { nodes[ObjectIdentifier(node)] = node }
        for change in disk.nameChanges {
            switch change {
            case .put(let name, let node):
                nodes[ObjectIdentifier(node)] = node
                changes.append((name, ObjectIdentifier(node)))
            case .remove(let name): changes.append((name, nil))
            }
        }
        for node in nodes.values.sorted(by: { $0.inode < $1.inode }) {
            let sectors = node.dirty.sorted { $0.key < $1.key }.compactMap { sector, versions in
                let others = versions.filter { !node.diskHolds($0, at: sector) }
                return others.isEmpty ? nil : (sector, others)
            }
            files.append(File(node: ObjectIdentifier(node), old: node.disk, sectors: sectors, lengths: node.lengths))
            ways += sectors.map { $0.1.count + 1 }
            if !node.lengths.isEmpty { ways.append(node.lengths.count + 1) }
        }
        ways += changes.map { _ in 2 }
    }

    /// In how many ways the power loss can go; capped at a million.
    public var count: Int {
        var count = 1
        for way in ways where count < 1_000_000 { count *= way }
        return count
    }

    /// The way with this number, below `count`.
    public func image(_ number: Int) -> DiskImage {
        var rest = number
        return image { ways in
            defer { rest /= ways }
            return rest % ways
        }
    }

    /// Any way: now and then all, nothing, or all but one.
    public func image(_ dice: inout Dice) -> DiskImage {
        let style = dice.below(8)
        var left = ways.isEmpty ? 0 : dice.below(ways.count)
        return image { ways in
            defer { left -= 1 }
            switch style {
            case 0: return left == 0 ? 0 : ways - 1
            case 1: return left == 0 ? ways - 1 : 0
            default: return dice.below(ways)
            }
        }
    }

    private func image(_ choose: (Int) -> Int) -> DiskImage {
        var contents: [ObjectIdentifier: [UInt8]] = [:]
        for file in files {
            var chosen: [Int: [UInt8]] = [:]
            for (index, versions) in file.sectors {
                let version = choose(versions.count + 1)
                if version > 0 { chosen[index] = versions[version - 1] }
            }
            var length = file.old.count
            var shortest: Int?
            if !file.lengths.isEmpty {
                let reached = choose(file.lengths.count + 1)
                if reached > 0 { length = file.lengths[reached - 1] }
                shortest = file.lengths[..<reached].min()
            }
            contents[file.node] =
                chosen.isEmpty && length == file.old.count && shortest == nil
                ? file.old
                : SimulatedDisk.Node.image(file.old, length: length, sectors: chosen, zeroedFrom: shortest)
        }
        var names = names
        for change in changes where choose(2) == 1 { names[change.name] = change.node }
        return DiskImage(files: names.compactMapValues { contents[$0] })
    }
}

/// What a power loss left: names and contents.
public struct DiskImage: Sendable {
    public var files: [String: [UInt8]]

    /// Tells images apart; the second line of a note and the names of temporary files do not count.
    public var fingerprint: UInt64 {
        var hash: UInt64 = 0
        for (name, bytes) in files {
            var name = name
            name.makeContiguousUTF8()
            let utf8 = name.utf8
            // "d/a.cpsl", ".note", ".torn-1", ".new-" and 32 digits.
            if utf8.count > 40 { continue }
            var one = utf8.withContiguousStorageIfAvailable { Self.hash(UnsafeRawBufferPointer($0)) } ?? 0
            let counted = utf8.last == UInt8(ascii: "e") ? bytes.prefix(91) : bytes[...]
            one ^= Self.hash(counted) &* 0x9E37_79B9_7F4A_7C15 &+ UInt64(bytes.count)
            hash &+= (one ^ one >> 29) &* 0xBF58_476D_1CE4_E5B9
        }
        return hash
    }

    private static func hash(_ bytes: ArraySlice<UInt8>) -> UInt64 { bytes.withUnsafeBytes { hash($0) } }

    /// Four lanes, which the processor works on at once: most images turn out to have been seen, and this is then all
    /// that is done with them.
    private static func hash(_ bytes: UnsafeRawBufferPointer) -> UInt64 {
        let prime: UInt64 = 0x9E37_79B9_7F4A_7C15
        var lanes = SIMD4<UInt64>(0xCBF2_9CE4_8422_2325, 0x1000_0000_01B3, 0x94D0_49BB_1331_11EB, prime)
        var index = 0
        while bytes.count - index >= 32 {
            for lane in 0..<4 {
                let word = bytes.loadUnaligned(fromByteOffset: index + 8 * lane, as: UInt64.self)
                let mixed = (lanes[lane] ^ word) &* prime
                lanes[lane] = mixed ^ mixed >> 32
            }
            index += 32
        }
        var hash: UInt64 = 0
        for lane in 0..<4 { hash = (hash ^ lanes[lane]) &* prime ^ hash >> 29 }
        while index < bytes.count {
            hash = (hash ^ UInt64(bytes[index])) &* 0x100_0000_01B3
            index += 1
        }
        return hash ^ hash >> 31
    }

    /// A machine that starts with this disk.
    public func boot() -> SimulatedDisk {
        let disk = SimulatedDisk()
        for (name, bytes) in files { disk.put(bytes, at: FilePath(name)) }
        return disk
    }
}
