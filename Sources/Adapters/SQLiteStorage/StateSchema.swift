internal import Records

/// The tables of `state.db`: one per table schema and storage's own.
enum StateSchema {
  /// The file's name.
  static let file = "state.db"
  /// Names that a table schema may not use.
  static let reservedNames = ["applied", "row_set", "state_meta"]

  /// The tables beside the rows.
  static let migrations = [
    Migration(
      version: 1,
      statements: [
        """
        CREATE TABLE applied (lane BLOB NOT NULL PRIMARY KEY, number INTEGER NOT NULL)
          STRICT, WITHOUT ROWID
        """,
        """
        CREATE TABLE row_set (id INTEGER PRIMARY KEY CHECK (id = 1), state BLOB NOT NULL) STRICT
        """,
        "CREATE TABLE state_meta (key TEXT NOT NULL PRIMARY KEY, value TEXT NOT NULL) STRICT",
      ]),
    // Files of version 1 have no seal: without its definition a file is made anew from the lanes.
    Migration(version: 2, statements: ["DELETE FROM state_meta"]),
  ]

  /// The statements that make the tables; their text also tells one set of schemas from another.
  ///
  /// Rows stand in the order they came, beside a unique index over their keys. Keys are random, so
  /// a tree of whole rows in the order of their keys would write a page of 4 KiB for nearly every
  /// row: four nodes on one host took 13,800 answers a second this way and 7,400 that way, at a
  /// third less processor time. A read by key pays one descent more.
  static func definition(of tables: [TableSchema]) -> [String] {
    var statements: [String] = []
    for table in tables {
      precondition(
        isName(table.name) && !reservedNames.contains(table.name)
          && !table.name.hasPrefix("sqlite") && table.columns.allSatisfy { isName($0.name) },
        "table \(table.name) or one of its columns has a name that SQL would misread")
      var parts = table.columns.enumerated().map { index, column in
        "\(column.name) \(type(of: column))\(index < table.keyColumnCount ? " NOT NULL" : "")"
      }
      parts.append("PRIMARY KEY (\(keyNames(of: table)))")
      statements.append(
        "CREATE TABLE \(table.name) (\(parts.joined(separator: ", "))) STRICT")
      for (index, columns) in table.indexes.enumerated() {
        precondition(
          columns.allSatisfy { name in table.columns.contains { $0.name == name } },
          "index \(index) of table \(table.name) names an unknown column")
        statements.append(
          """
          CREATE INDEX \(table.name)_index_\(index + 1) ON \(table.name) \
          (\(columns.joined(separator: ", ")))
          """)
      }
    }
    return statements
  }

  /// The statement that stores a row of `table`, replacing the one with its key.
  static func upsert(into table: TableSchema) -> String {
    let marks = [String](repeating: "?", count: table.columns.count).joined(separator: ", ")
    let insert = "INSERT INTO \(table.name) VALUES (\(marks)) ON CONFLICT"
    let rest = table.columns.dropFirst(table.keyColumnCount)
    guard !rest.isEmpty else { return "\(insert) DO NOTHING" }
    let assignments = rest.map { "\($0.name) = excluded.\($0.name)" }.joined(separator: ", ")
    return "\(insert) (\(keyNames(of: table))) DO UPDATE SET \(assignments)"
  }

  /// The statement that reads every row of `table`, in order of key or in that of storage.
  static func selectAll(from table: TableSchema, ordered: Bool = true) -> String {
    let names = table.columns.map(\.name).joined(separator: ", ")
    let order = ordered ? keyNames(of: table) : "rowid"
    return "SELECT \(names) FROM \(table.name) ORDER BY \(order)"
  }

  private static func keyNames(of table: TableSchema) -> String {
    table.columns.prefix(table.keyColumnCount).map(\.name).joined(separator: ", ")
  }

  private static func type(of column: TableSchema.Column) -> String {
    switch column.type {
    case .integer: "INTEGER"
    case .text: "TEXT"
    case .bytes: "BLOB"
    }
  }

  private static func isName(_ text: String) -> Bool {
    let letters = UInt8(ascii: "a")...UInt8(ascii: "z")
    let digits = UInt8(ascii: "0")...UInt8(ascii: "9")
    guard let first = text.utf8.first, letters.contains(first) else { return false }
    return text.utf8.allSatisfy {
      letters.contains($0) || digits.contains($0) || $0 == UInt8(ascii: "_")
    }
  }
}
