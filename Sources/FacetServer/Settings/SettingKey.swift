// SPDX-License-Identifier: Apache-2.0
// Part of Facet: Gemma, end to end, in Swift.

/// A setting by its name: how files, the environment and flags change it.
struct SettingKey: Sendable {
  /// The name in files; in the environment it is `FACET_` and the name in capitals.
  let name: String
  /// Changes it to what the texts say; several only where the setting is a list.
  let apply: @Sendable (inout ServerSettings, [String]) throws(ServerError) -> Void

  var environmentName: String { "FACET_" + name.uppercased() }

  private init(
    _ name: String,
    _ apply: @escaping @Sendable (inout ServerSettings, [String]) throws(ServerError) -> Void
  ) {
    self.name = name
    self.apply = apply
  }

  /// All settings.
  static let all: [SettingKey] = [
    SettingKey("host") { settings, values throws(ServerError) in
      settings.listeners = try values.map { text throws(ServerError) in try Listener(text) }
    },
    SettingKey("models") { settings, values in settings.models = values },
    SettingKey("api_key") { settings, values in settings.apiKeys = values },
    flag("allow_anyone") { $0.allowsAnyone = $1 },
    text("tls_cert") { $0.tlsCertificate = $1 },
    text("tls_key") { $0.tlsKey = $1 },
    SettingKey("origins") { settings, values in settings.origins = values },
    SettingKey("host_names") { settings, values in settings.hostNames = values },
    SettingKey("keep_alive") { settings, values throws(ServerError) in
      settings.keepAlive = try KeepAlive(single(values, "keep_alive")).duration
    },
    SettingKey("memory_budget") { settings, values throws(ServerError) in
      settings.memoryBudget = try byteCount(single(values, "memory_budget"), "memory_budget")
    },
    number("context_length") { $0.contextLength = $1 },
    number("num_parallel") { $0.parallel = $1 },
    number("max_queue") { $0.maxQueue = $1 },
    number("threads") { $0.threads = $1 },
    number("max_body_bytes") { $0.maxBodyBytes = $1 },
    number("max_header_bytes") { $0.maxHeaderBytes = $1 },
    number("max_connections") { $0.maxConnections = $1 },
    number("max_choices") { $0.maxChoices = $1 },
    number("max_stops") { $0.maxStops = $1 },
    flag("read_only") { $0.isReadOnly = $1 },
    SettingKey("log_format") { settings, values throws(ServerError) in
      let text = try single(values, "log_format")
      guard let format = ServerSettings.LogFormat(rawValue: text) else {
        throw wrong("log_format", text, "text or json")
      }
      settings.logFormat = format
    },
    SettingKey("log_level") { settings, values throws(ServerError) in
      let text = try single(values, "log_level")
      guard levels.contains(text) else {
        throw wrong("log_level", text, "one of \(levels.joined(separator: ", "))")
      }
      settings.logLevel = text
    },
    flag("metrics_aliases") { $0.hasMetricAliases = $1 },
    SettingKey("shutdown_deadline") { settings, values throws(ServerError) in
      let text = try single(values, "shutdown_deadline")
      guard let deadline = try KeepAlive(text).duration else {
        throw wrong("shutdown_deadline", text, "a length of time, such as 30s")
      }
      settings.shutdownDeadline = deadline
    },
  ]

  static let levels = ["trace", "debug", "info", "notice", "warning", "error", "critical"]

  // MARK: Kinds

  private static func text(
    _ name: String, _ set: @escaping @Sendable (inout ServerSettings, String) -> Void
  ) -> SettingKey {
    SettingKey(name) { settings, values throws(ServerError) in
      set(&settings, try single(values, name))
    }
  }

  private static func number(
    _ name: String, _ set: @escaping @Sendable (inout ServerSettings, Int) -> Void
  ) -> SettingKey {
    SettingKey(name) { settings, values throws(ServerError) in
      let text = try single(values, name)
      guard let number = Int(text) else { throw wrong(name, text, "a whole number") }
      set(&settings, number)
    }
  }

  private static func flag(
    _ name: String, _ set: @escaping @Sendable (inout ServerSettings, Bool) -> Void
  ) -> SettingKey {
    SettingKey(name) { settings, values throws(ServerError) in
      let text = try single(values, name)
      switch text.lowercased() {
      case "true", "1", "yes": set(&settings, true)
      case "false", "0", "no": set(&settings, false)
      default: throw wrong(name, text, "true or false")
      }
    }
  }

  private static func single(_ values: [String], _ name: String) throws(ServerError) -> String {
    guard let value = values.first, values.count == 1 else {
      throw ServerError(
        .invalidSettings, "The setting '\(name)' has \(values.count) values; it takes one.")
    }
    return value
  }

  /// `2GB`, `1.5GiB`, or a number of bytes.
  private static func byteCount(_ text: String, _ name: String) throws(ServerError) -> Int {
    let units: [(String, Double)] = [
      ("GiB", 0x1p30), ("MiB", 0x1p20), ("GB", 1e9), ("MB", 1e6), ("", 1),
    ]
    for (unit, factor) in units where text.hasSuffix(unit) {
      let digits = text.dropLast(unit.count).trimmingPrefix(" ")
      if let number = Double(digits.filter { $0 != " " }), number > 0, number * factor < 0x1p60 {
        return Int(number * factor)
      }
    }
    throw wrong(name, text, "a size, such as 8GB")
  }

  static func wrong(_ name: String, _ text: String, _ kind: String) -> ServerError {
    ServerError(.invalidSettings, "The setting '\(name)' is '\(text)'; it must be \(kind).")
  }
}
