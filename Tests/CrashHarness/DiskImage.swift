import Capsule

/// A disk at the moment of a power loss, with everything that may or may not have reached it.
///
/// A way that the loss can go is a list of choices. Its fingerprint is found without making the image: of seven ways,
/// six lead to an image that was seen before.
public struct CrashPoint {
    /// Of each undecided thing, which of its states reached the disk; 0 is the state before.
    typealias Way = [Int]

    /// A change to the directory: which name, and the file that it leads to then.
    private struct Rename {
        var name: Int
        var file: Int?
    }

    private var files: [UndecidedFile] = []
    /// What the directory on the disk says: a name, and the number of its file.
    private var names: [(name: String, hash: UInt64, file: Int?)] = []
    private var changes: [Rename] = []
    /// How many ways each undecided thing can go: the sectors and the length of each file, then the names.
    private var ways: [Int] = []

    init(_ disk: SimulatedDisk) {
        var nodes: [SimulatedDisk.Node] = Array(disk.namesOnDisk.values)
        for case .put(_, let node) in disk.nameChanges { nodes.append(node) }
        nodes.sort { $0.inode < $1.inode }
        var numbers: [ObjectIdentifier: Int] = [:]
        for node in nodes where numbers[ObjectIdentifier(node)] == nil {
            numbers[ObjectIdentifier(node)] = files.count
            files.append(UndecidedFile(node))
            ways += files.last?.ways ?? []
        }
        for (name, node) in disk.namesOnDisk { lead(name, to: numbers[ObjectIdentifier(node)]) }
        for change in disk.nameChanges {
            switch change {
            case .put(let name, let node): self.change(name, to: numbers[ObjectIdentifier(node)])
            case .remove(let name): self.change(name, to: nil)
            }
        }
        ways += changes.map { _ in 2 }
    }

    private mutating func lead(_ name: String, to file: Int?) {
        names.append((name, UndecidedFile.hash(ofName: name), file))
        if let file, name.hasSuffix(".note") { files[file].isNote = true }
    }

    private mutating func change(_ name: String, to file: Int?) {
        if !names.contains(where: { $0.name == name }) { lead(name, to: nil) }
        guard let number = names.firstIndex(where: { $0.name == name }) else { return }
        if let file, name.hasSuffix(".note") { files[file].isNote = true }
        changes.append(Rename(name: number, file: file))
    }

    /// In how many ways the power loss can go; capped at a million.
    public var count: Int {
        var count = 1
        for way in ways where count < 1_000_000 { count *= way }
        return count
    }

    /// The way with this number, below `count`.
    func way(_ number: Int) -> Way {
        var rest = number
        return ways.map { ways in
            defer { rest /= ways }
            return rest % ways
        }
    }

    /// Any way: now and then all, nothing, or all but one.
    func way(_ dice: inout Dice) -> Way {
        let style = dice.below(8)
        let left = ways.isEmpty ? 0 : dice.below(ways.count)
        var way: Way = []
        way.reserveCapacity(ways.count)
        for (index, ways) in ways.enumerated() {
            switch style {
            case 0: way.append(index == left ? 0 : ways - 1)
            case 1: way.append(index == left ? ways - 1 : 0)
            default: way.append(dice.below(ways))
            }
        }
        return way
    }

    /// The names that stand after the loss, each with its file: by the numbers of `names`.
    private func files(after way: Way) -> [Int?] {
        var standing = names.map(\.file)
        for (change, choice) in zip(changes, way.suffix(changes.count)) where choice == 1 {
            standing[change.name] = change.file
        }
        return standing
    }

    /// What the way leaves.
    func image(_ way: Way) -> DiskImage {
        var rest = way[...]
        let contents = files.map { file in file.contents(rest.take(file.ways.count)) }
        var image = DiskImage(files: [:])
        for (name, file) in zip(names, files(after: way)) { image.files[name.name] = file.map { contents[$0] } }
        return image
    }

    /// Tells images apart; the second line of a note and the names of temporary files do not count.
    func fingerprint(_ way: Way) -> UInt64 {
        var rest = way[...]
        let hashes = files.map { file in file.fingerprint(rest.take(file.ways.count)) }
        var hash: UInt64 = 0
        for (name, file) in zip(names, files(after: way)) where name.hash != 0 {
            if let file { hash &+= UndecidedFile.mix(name.hash ^ hashes[file]) }
        }
        return hash
    }
}

extension ArraySlice<Int> {
    fileprivate mutating func take(_ count: Int) -> ArraySlice<Int> {
        defer { self = dropFirst(count) }
        return prefix(count)
    }
}

/// What a power loss left: names and contents.
public struct DiskImage: Sendable {
    public var files: [String: [UInt8]]

    /// A machine that starts with this disk.
    public func boot() -> SimulatedDisk {
        let disk = SimulatedDisk()
        disk.put(files)
        return disk
    }
}
