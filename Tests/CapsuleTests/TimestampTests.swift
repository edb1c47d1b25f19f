import Foundation
import Support
import Testing

@testable import Capsule

@Suite struct TimestampTests {
    private func read(_ text: String) -> Int64? { Timestamp(rfc3339: text)?.nanoseconds }

    @Test func knownTimesAreWrittenAsTheStandardSays() {
        let known: [(Int64, String)] = [
            (0, "1970-01-01T00:00:00Z"), (-1, "1969-12-31T23:59:59.999999999Z"),
            (250_000_000, "1970-01-01T00:00:00.25Z"),
            (951_782_400_000_000_000, "2000-02-29T00:00:00Z"), (1_767_225_600_000_000_000, "2026-01-01T00:00:00Z"),
            (.max, "2262-04-11T23:47:16.854775807Z"), (.min, "1677-09-21T00:12:43.145224192Z"),
        ]
        for (nanoseconds, text) in known {
            #expect(Timestamp(nanoseconds: nanoseconds).description == text)
            #expect(read(text) == nanoseconds, "\(text)")
        }
    }

    @Test(arguments: Seed.some(4))
    func anyTimeComesBackFromItsText(_ seed: Seed) {
        var random = seed.generator
        for _ in 0..<300 {
            let time = Timestamp(nanoseconds: .random(in: .min ... .max, using: &random))
            #expect(Timestamp(rfc3339: time.description) == time)
            #expect(Timestamp(rfc3339: time.text(fractionDigits: 9)) == time)
        }
    }

    @Test func theFirstAndLastSecondsThat64BitsHoldComeBack() {
        for offset in [0, 1, 145_224_191, 145_224_192, 145_224_193, 1_000_000_000] as [Int64] {
            for nanoseconds in [Int64.min + offset, Int64.max - offset] {
                #expect(read(Timestamp(nanoseconds: nanoseconds).description) == nanoseconds)
            }
        }
    }

    @Test(arguments: [
        "1677-09-21T00:12:43.145224191Z", "2262-04-11T23:47:16.854775808Z", "0000-01-01T00:00:00Z",
        "9999-12-31T23:59:59Z",
    ])
    func aTimeThat64BitsCannotHoldIsRefused(_ text: String) { #expect(read(text) == nil) }

    @Test func everyDayOfFourCenturiesIsTheDayAfterTheOneBefore() {
        var previous = CivilDate(daysSince1970: -110_000)
        for days in -109_999...110_000 as ClosedRange<Int64> {
            let date = CivilDate(daysSince1970: days)
            #expect(date.daysSince1970 == days)
            let follows = date.day == previous.day + 1 && date.month == previous.month
            let startsMonth =
                date.day == 1 && (date.month == previous.month + 1 || date.month == 1 && previous.month == 12)
            if !follows && !startsMonth { Issue.record("day \(days): \(date) after \(previous)") }
            previous = date
        }
    }

    @Test func february29IsThereInLeapYearsOnly() {
        for year in 1678...2261 {
            let isLeap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0)
            #expect((read("\(year)-02-29T00:00:00Z") != nil) == isLeap, "\(year)")
        }
    }

    @Test func offsetsAndLettersMeanTheSameMoment() {
        let moment = read("2026-03-01T00:30:00.5Z")
        for text in [
            "2026-03-01t00:30:00.5z", "2026-03-01 00:30:00.500Z", "2026-03-01T02:30:00.5+02:00",
            "2026-02-28T19:00:00.5-05:30",
        ] {
            #expect(read(text) == moment, "\(text)")
        }
    }

    @Test func everyPrefixOfATimeIsRefused() {
        let text = "2026-03-01T02:30:00.5+02:00"
        for count in 0..<text.count { #expect(read(String(text.prefix(count))) == nil, "\(text.prefix(count))") }
    }

    @Test(arguments: [
        "2026-13-01T00:00:00Z", "2026-00-01T00:00:00Z", "2026-01-00T00:00:00Z", "2026-04-31T00:00:00Z",
        "2026-01-01T24:00:00Z",
        "2026-01-01T00:60:00Z", "2026-01-01T00:00:60Z", "2026-01-01T00:00:00.Z", "2026-01-01T00:00:00.1234567890Z",
        "2026-01-01T00:00:00+24:00", "2026-01-01T00:00:00+00:60", "2026-01-01T00:00:00ZZ", " 2026-01-01T00:00:00Z",
        "26-01-01T00:00:00Z",
        "+026-01-01T00:00:00Z", "2026-1-01T00:00:00Z", "2026-01-01_00:00:00Z", "2026-01-01T00:00:00,5Z",
        "٢٠٢٦-01-01T00:00:00Z",
    ])
    func whatIsNotATimeIsRefused(_ text: String) { #expect(read(text) == nil) }

    @Test func aFixedNumberOfDigitsIsCutOffNotRounded() {
        let time = Timestamp(nanoseconds: 1_999_999_999)
        #expect(time.text(fractionDigits: 3) == "1970-01-01T00:00:01.999Z")
        #expect(time.text(fractionDigits: 0) == "1970-01-01T00:00:01Z")
        #expect(Timestamp(nanoseconds: -1).text(fractionDigits: 0) == "1969-12-31T23:59:59Z")
    }

    @Test(arguments: Seed.some(2))
    func foundationReadsTheSameMoment(_ seed: Seed) throws {
        var random = seed.generator
        for _ in 0..<50 {
            let time = Timestamp(
                nanoseconds: .random(in: .min / 2 ... .max / 2, using: &random) / 1_000_000_000 * 1_000_000_000
            )
            let date = try Date(time.description, strategy: .iso8601)
            #expect(date.timeIntervalSince1970 == Double(time.nanoseconds / 1_000_000_000), "\(time)")
        }
    }
}
