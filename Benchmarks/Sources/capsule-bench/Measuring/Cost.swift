#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#elseif canImport(Darwin)
import Darwin
#endif

/// What a piece of work took, in seconds.
struct Cost: Sendable {
    var wall: Double
    /// User and system time of all threads of this process.
    var cpu: Double

    /// The least of both; they may be of different rounds.
    func best(_ other: Cost) -> Cost { Cost(wall: min(wall, other.wall), cpu: min(cpu, other.cpu)) }
}

/// Does `work` once, and says what it took.
func cost(of work: () async throws -> Void) async rethrows -> Cost {
    let start = (seconds(CLOCK_MONOTONIC), seconds(CLOCK_PROCESS_CPUTIME_ID))
    try await work()
    return Cost(wall: seconds(CLOCK_MONOTONIC) - start.0, cpu: seconds(CLOCK_PROCESS_CPUTIME_ID) - start.1)
}

/// Lets contestants take turns, and keeps each one's best. A disturbance then hits them alike, and spoils one round.
///
/// - Parameter contestants: told the number of the round; they prepare, and return the cost of what counts.
func bestOf(
    rounds: Int, _ contestants: ((Int) async throws -> Cost)...
) async throws -> [Cost] {
    var best: [Cost?] = contestants.map { _ in nil }
    for round in 0..<rounds {
        // Who goes first changes, so that nobody always finds the disk busy with what the other left.
        let order = contestants.indices.map { round.isMultiple(of: 2) ? $0 : contestants.count - 1 - $0 }
        for index in order {
            let cost = try await contestants[index](round)
            best[index] = best[index]?.best(cost) ?? cost
        }
    }
    return best.compactMap { $0 }
}

private func seconds(_ clock: clockid_t) -> Double {
    var time = timespec()
    clock_gettime(clock, &time)
    return Double(time.tv_sec) + Double(time.tv_nsec) / 1e9
}
