extension AllowedSigners {
    /// Reads an `allowed_signers` file: the signers, and every fault at its place.
    ///
    /// A line that OpenSSH takes and this verifier does not (a certificate authority, a key of a security device) is a
    /// warning: its key counts for nothing here. With an error the whole file is refused, so that a slip of the hand
    /// does not change who may approve.
    ///
    /// - Returns: nil instead of signers when there is an error.
    public static func read(_ file: SourceFile) -> (signers: AllowedSigners?, diagnostics: [Diagnostic]) {
        let sink = DiagnosticSink()
        let isShort = file.bytes.count <= ApprovalLimits.signersBytes
        let text = SourceText(isShort ? file : SourceFile(name: file.name, bytes: [], format: .toml))
        var reader = SignersReader(text: text, sink: sink)
        if isShort { reader.readAll() } else { reader.tooLong(file.bytes.count) }
        let found = sink.hasErrors ? nil : AllowedSigners(file: file.name, signers: reader.signers)
        return (found, sink.diagnostics(in: [.workspace: text]))
    }
}

/// Reads the lines of one file.
private struct SignersReader {
    let text: SourceText
    let sink: DiagnosticSink
    var signers: [AllowedSigners.Signer] = []
    private var patterns = 0
    private var wildcards = 0

    init(text: SourceText, sink: DiagnosticSink) {
        self.text = text
        self.sink = sink
    }

    func tooLong(_ count: Int) {
        add(.beyondLimit, 1, 0..<0, "this file has \(count) bytes; at most \(ApprovalLimits.signersBytes) are read")
    }

    mutating func readAll() {
        guard text.lineCount <= ApprovalLimits.signersLines else {
            return add(.beyondLimit, 1, 0..<0, "more than \(ApprovalLimits.signersLines) lines")
        }
        for number in 1...max(text.lineCount, 1) {
            let line = Array(text.line(number))
            guard line.count <= PolicyLimits.lineBytes else {
                return add(.beyondLimit, number, 0..<0, "this line is longer than \(PolicyLimits.lineBytes) bytes")
            }
            guard let words = String(validating: line, as: UTF8.self) else {
                add(.invalidUTF8, number, 0..<0, "this line is not UTF-8", "save the file as UTF-8")
                continue
            }
            if let hidden = words.unicodeScalars.first(where: HiddenCharacter.isHidden) {
                add(
                    .hiddenCharacter,
                    number,
                    0..<line.count,
                    "\(HiddenCharacter.name(hidden)) cannot be seen",
                    "take it out"
                )
                continue
            }
            guard read(SignersLine(line), number) else { return }
        }
    }

    /// - Returns: whether to go on.
    private mutating func read(_ line: SignersLine, _ number: Int) -> Bool {
        var line = line
        guard let principals = field(&line, number) else { return true }
        let items = principals.text.split(separator: ",", omittingEmptySubsequences: false).map(String.init)
        guard check(items, principals, number) else { return true }
        var options = SignerOptions()
        guard var type = field(&line, number, needed: "a type of key") else { return true }
        if !SignersLine.isKeyType(type.text) {
            guard read(options: type, into: &options, number) else { return true }
            guard let next = field(&line, number, needed: "a type of key") else { return true }
            type = next
        }
        guard SignersLine.isKeyType(type.text) else {
            add(
                .signerLine,
                number,
                type.range,
                "`\(type.text.prefix(64))` is no type of key",
                "a line is: names, options, type, key"
            )
            return true
        }
        guard let encoded = field(&line, number, needed: "the key in Base64") else { return true }
        patterns += items.count
        wildcards += items.count(where: SignerPattern.isWild)
        guard signers.count < ApprovalLimits.signers, patterns <= ApprovalLimits.patterns,
            wildcards <= ApprovalLimits.wildcards
        else {
            let most =
                "\(ApprovalLimits.signers) signers, \(ApprovalLimits.patterns) names, "
                + "\(ApprovalLimits.wildcards) patterns"
            add(.beyondLimit, number, principals.range, "more than \(most)")
            return false
        }
        guard let key = key(type, encoded, number), !isAuthority(options, number) else { return true }
        signers.append(
            AllowedSigners.Signer(
                principals: SignerPattern(items: items),
                namespaces: options.namespaces.map(SignerPattern.init(items:)),
                validAfter: options.validAfter,
                validBefore: options.validBefore,
                key: key,
                line: number
            )
        )
        return true
    }

    /// A certificate authority signs nothing here itself.
    private func isAuthority(_ options: SignerOptions, _ number: Int) -> Bool {
        guard let range = options.authority else { return false }
        let message = "a certificate authority counts for nothing here: certificates are not verified"
        add(.signerNotVerified, number, range, message, "list the keys themselves")
        return true
    }

    private func field(_ line: inout SignersLine, _ number: Int, needed: String? = nil) -> SignersLine.Field? {
        switch line.next() {
        case .field(let field): return field
        case .openQuote(let range): add(.signerLine, number, range, "this quote is not closed", "close it with `\"`")
        case .end(let at):
            if let needed {
                add(
                    .signerLine,
                    number,
                    at..<at,
                    "the line ends where \(needed) is to be",
                    "a line is: names, options, type, key"
                )
            }
        }
        return nil
    }

    private func check(_ items: [String], _ field: SignersLine.Field, _ number: Int) -> Bool {
        for item in items {
            let name = item.hasPrefix("!") ? item.dropFirst() : item[...]
            guard !name.utf8.contains(UInt8(ascii: "\"")) else {
                add(.signerLine, number, field.range, "a quote within a name", "quote all names together, or none")
                return false
            }
            guard !name.isEmpty, name.utf8.count <= ApprovalLimits.nameBytes else {
                let message =
                    "a name has 1 to \(ApprovalLimits.nameBytes) bytes; `\(name.prefix(64))` has \(name.utf8.count)"
                add(.signerLine, number, field.range, message, "names are set apart by one comma")
                return false
            }
        }
        return true
    }

    private func key(_ type: SignersLine.Field, _ encoded: SignersLine.Field, _ number: Int) -> SSHPublicKey? {
        guard let wire = Base64.decode(encoded.text.utf8) else {
            add(.signerKey, number, encoded.range, "this is not Base64", "copy the line of the .pub file whole")
            return nil
        }
        do throws(SSHSignatureError) {
            let key = try SSHPublicKey(wire: wire)
            guard key.type == type.text else {
                add(
                    .signerKey,
                    number,
                    type.range,
                    "the line says `\(type.text)`, the key is \(key.type)",
                    "copy the line of the .pub file whole"
                )
                return nil
            }
            return key
        } catch {
            if case .unsupportedKey(let what) = error {
                add(
                    .signerNotVerified,
                    number,
                    type.range,
                    "this key counts for nothing here: it is \(what)",
                    "list another key of the same person"
                )
            } else {
                add(.signerKey, number, encoded.range, "\(error)", "copy the line of the .pub file whole")
            }
            return nil
        }
    }

    private func read(options field: SignersLine.Field, into options: inout SignerOptions, _ number: Int) -> Bool {
        for option in SignersLine.options(field) {
            guard let fault = options.take(option, sink) else { continue }
            add(fault.code, number, option.range, fault.message, fault.help)
            if fault.code.severity == .error { return false }
        }
        if let after = options.validAfter, let before = options.validBefore, before <= after {
            add(.signerTime, number, field.range, "`valid-before` is not after `valid-after`", "exchange the two")
            return false
        }
        return true
    }

    private func add(
        _ code: DiagnosticCode,
        _ number: Int,
        _ range: Range<Int>,
        _ message: String,
        _ help: String? = nil
    ) {
        let line = Array(text.line(number))
        func place(_ offset: Int) -> SourcePlace {
            let column = line.prefix(offset).reduce(1) { $0 + ($1 & 0xC0 != 0x80 ? 1 : 0) }
            return SourcePlace(line: number, column: column)
        }
        let span = SourceSpan(start: place(range.lowerBound), end: place(range.upperBound))
        sink.add(code, SourceOrigin(layer: .workspace, span: span), message, help)
    }
}
