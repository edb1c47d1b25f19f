import Capsule
import Testing

@testable import CrashHarness

@Suite struct FingerprintTests {
    /// What counts of an image: names of files on their way and the second line of a note do not.
    private func counted(_ image: DiskImage) -> [String: [UInt8]] {
        var counted: [String: [UInt8]] = [:]
        for (name, bytes) in image.files where name.utf8.count <= 40 {
            counted[name] =
                name.hasSuffix(".note") ? bytes.prefix(91) + [UInt8](repeating: 1, count: bytes.count) : bytes
        }
        return counted
    }

    private func change(_ process: SimulatedProcess, _ dice: inout Dice) throws {
        let names: [FilePath] = [
            "d/a.cpsl", "d/a.cpsl.torn-1", "d/a.cpsl.new-00112233445566778899aabbccddeeff", "d/a.cpsl.note",
        ]
        let name = names[dice.below(4)]
        switch dice.below(12) {
        case 0: try process.syncDirectory("d")
        case 1: try process.rename(names[dice.below(3)], to: names[dice.below(3)])
        case 2: try process.remove(name)
        case 3: try process.link(names[dice.below(3)], to: names[dice.below(3)])
        case 4: try process.open(name, for: .readingAndWriting).sync()
        case 5: try process.open(name, for: .readingAndWriting).truncate(to: UInt64(dice.below(1600)))
        case 6: _ = try process.create(name)
        default:
            let byte = UInt8(dice.below(3))
            let bytes = [UInt8](repeating: byte, count: 1 + dice.below(700))
            let offset = UInt64(dice.below(1200))
            _ = try bytes.withUnsafeBytes { try process.open(name, for: .readingAndWriting).write($0, at: offset) }
        }
    }

    @Test func twoImagesHaveOneFingerprintExactlyIfTheyAreTheSame() throws {
        var (images, differing) = (0, 0)
        for seed in 1...100 as ClosedRange<UInt64> {
            var dice = Dice(seed)
            let disk = SimulatedDisk()
            let process = disk.process()
            var prints: [[String: [UInt8]]: UInt64] = [:]
            var contents: [UInt64: [String: [UInt8]]] = [:]
            for _ in 0..<25 {
                try? change(process, &dice)
                let point = CrashPoint(disk)
                for number in 0..<min(point.count, 40) {
                    let way = point.count <= 40 ? point.way(number) : point.way(&dice)
                    let (image, print) = (counted(point.image(way)), point.fingerprint(way))
                    images += 1
                    let isOne = prints.updateValue(print, forKey: image) ?? print == print
                    let isTheSame = contents.updateValue(image, forKey: print) ?? image == image
                    #expect(isOne && isTheSame, "seed \(seed): \(isOne), \(isTheSame)")
                }
            }
            differing += contents.count
        }
        #expect(differing > 1000 && images > 4 * differing, "\(differing) of \(images)")
    }
}
