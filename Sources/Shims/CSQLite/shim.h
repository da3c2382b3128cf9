#ifndef CSQLITE_SHIM_H
#define CSQLITE_SHIM_H

#include <sqlite3.h>

/* SQLITE_STATIC is a cast that Swift cannot import: the bytes stay the caller's and must outlive
 * the step. A null pointer would bind NULL, so an empty value is bound as a blob of no bytes. */
static inline int csqlite_bind_blob_borrowed(
    sqlite3_stmt *statement, int index, const void *bytes, sqlite3_uint64 count) {
  if (count == 0) return sqlite3_bind_zeroblob(statement, index, 0);
  return sqlite3_bind_blob64(statement, index, bytes, count, SQLITE_STATIC);
}

/* As above for text in UTF-8. */
static inline int csqlite_bind_text_borrowed(
    sqlite3_stmt *statement, int index, const char *bytes, sqlite3_uint64 count) {
  return sqlite3_bind_text64(
      statement, index, count == 0 ? "" : bytes, count, SQLITE_STATIC, SQLITE_UTF8);
}

/* sqlite3_db_config is variadic. The last connection to close must not move the log into the
 * database behind our back: after a failed sync nothing more may be written. */
static inline int csqlite_disable_checkpoint_on_close(sqlite3 *database) {
  return sqlite3_db_config(database, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, (int *)0);
}

/* sqlite3_db_config is variadic. Defends against a schema edited by somebody else. */
static inline int csqlite_set_defensive(sqlite3 *database) {
  return sqlite3_db_config(database, SQLITE_DBCONFIG_DEFENSIVE, 1, (int *)0);
}

#endif
