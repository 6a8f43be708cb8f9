// SPDX-License-Identifier: Apache-2.0
// Part of Facet: Gemma, end to end, in Swift.

/// A line of a chat that is meant for us and not for the model.
enum ChatCommand: Equatable {
  case help, clear, show, bye
  case set(String?, String?)
  case save(String)
  case load(String)
  /// A command that lacks its argument; how it is written.
  case incomplete(String)

  static let setUsage = "/set NAME VALUE (a value of 'default' takes it back)"

  /// Nil when `line` begins with no command.
  init?(_ line: String) {
    let words = line.split(separator: " ", maxSplits: 1)
    let rest = words.count > 1 ? String(words[1].drop { $0 == " " }) : ""
    let path = String(rest.reversed().drop { $0.isWhitespace }.reversed())
    switch words.first ?? "" {
    case "/help", "/?": self = .help
    case "/clear": self = .clear
    case "/show": self = .show
    case "/bye", "/exit", "/quit": self = .bye
    case "/save": self = path.isEmpty ? .incomplete("/save FILE") : .save(path)
    case "/load": self = path.isEmpty ? .incomplete("/load FILE") : .load(path)
    case "/set":
      let pair = rest.split(separator: " ", maxSplits: 1).map { String($0) }
      self = .set(pair.first, pair.count > 1 ? pair[1] : nil)
    default: return nil
    }
  }

  static let overview = """
      /set              show the settings
      /set NAME VALUE   change one, such as temperature, seed, max-tokens, system
      /show             show the model, how full the context is, the settings
      /clear            forget what was said
      /save FILE        keep the chat in a file
      /load FILE        go on with a chat from a file
      /bye              leave (also /exit and Ctrl-D)
      \"\"\" … \"\"\"       a message of several lines
    Ctrl-C stops an answer; arrow keys bring earlier lines back. Begin a line with a space to send \
    a message that starts with /.
    """
}
