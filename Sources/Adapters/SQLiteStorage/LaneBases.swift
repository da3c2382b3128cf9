/// Whether lanes begin after a base.
package enum LaneBases {
  /// Whether some lane of a closed directory does; false when that cannot be read.
  package static func exist(in directory: String) -> Bool {
    let path = "\(directory)/\(LogSchema.file)"
    guard FileSystem.exists(path) else { return false }
    do throws(SQLiteError) {
      let connection = try SQLiteConnection(path: path, mode: .readOnly)
      return try connection.integer("SELECT count(*) FROM lane_bases") ?? 0 > 0
    } catch {
      return false
    }
  }
}
