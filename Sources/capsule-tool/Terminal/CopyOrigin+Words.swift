import Ledger

extension CopyOrigin {
    var verb: String {
        switch purpose {
        case .salvage: "salvaged"
        case .adoption: "adopted"
        }
    }

    var words: String {
        let losses = purpose == .salvage ? ", \(Self.losses(losses))" : ""
        let hint = self.losses > 0 ? ": 'capsule-tool show \(LedgerReader.ownName)#\(event.sequence)' lists it" : ""
        return "from \(origin)\(losses)\(hint)"
    }

    static func losses(_ count: Int) -> String {
        count == 0 ? "without loss" : "with loss in \(Human.count(count, "place"))"
    }
}
