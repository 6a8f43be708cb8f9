// SPDX-License-Identifier: Apache-2.0
// Part of Facet: Gemma, end to end, in Swift.

package import FacetJSON

/// What an evaluation gave: the model, the settings, and the scores of all tasks and groups.
public struct EvaluationResult: Sendable {
  /// The model that was measured.
  public var model: ModelFacts
  /// How it was measured.
  public var settings: Settings
  /// The scores, in the order in which the tasks ran.
  public var tasks: [TaskScore]
  /// The groups of tasks, parents before children.
  public var groups: [GroupResult]
  /// When it began, in seconds since 1970.
  public var start: Double
  /// How long it took, in seconds.
  public var seconds: Double

  /// The result of measuring `model`.
  public init(
    model: ModelFacts, settings: Settings = Settings(), tasks: [TaskScore] = [],
    groups: [GroupResult] = [], start: Double, seconds: Double
  ) {
    self.model = model
    self.settings = settings
    self.tasks = tasks
    self.groups = groups
    self.start = start
    self.seconds = seconds
  }

  /// The score of the task of this name.
  public func task(_ name: String) -> TaskScore? { tasks.first { $0.task == name } }
}

extension EvaluationResult {
  /// The model that was measured.
  public struct ModelFacts: Sendable, Hashable {
    /// A token with a meaning, as files of results name it.
    public struct Token: Sendable, Hashable {
      /// Its text.
      public var text: String
      /// Its number.
      public var id: Int

      /// The token `text`.
      public init(_ text: String, _ id: Int) {
        self.text = text
        self.id = id
      }
    }

    /// What ran it: `facet`, or lm-eval's name of the kind of model.
    public var source: String
    /// Its name.
    public var name: String
    /// What it was opened with; nil: its name alone.
    public var arguments: String?
    /// How many weights it has.
    public var parameterCount: Int?
    /// The type of its weights.
    public var dataType: String?
    /// The hash of its file.
    public var digest: String?
    /// The longest text that it takes, in tokens.
    public var contextLength: Int?
    /// The token that begins a text.
    public var bos: Token?
    /// The token that ends a text.
    public var eos: Token?
    /// The token that fills up.
    public var pad: Token?
    /// The token between texts.
    public var endOfTextID: Int?

    /// A model of this name.
    public init(name: String, source: String = "facet") {
      self.name = name
      self.source = source
    }
  }

  /// How a model was measured.
  public struct Settings: Sendable, Hashable {
    /// The seeds of lm-eval, with its defaults.
    public struct Seeds: Sendable, Hashable {
      /// That of Python's random numbers.
      public var random = 0
      /// That of numpy's.
      public var numpy = 1234
      /// That of PyTorch's.
      public var torch = 1234
      /// The one that picks examples.
      public var examples = 1234

      /// The defaults.
      public init() {}
    }

    /// Requests at a time.
    public var batchSize: Int?
    /// At most this many documents of each task, or this part of them when less than 1.
    public var limit: Double?
    /// Draws of a bootstrap.
    public var bootstrapCount = 100_000
    /// The seeds.
    public var seeds = Seeds()
    /// What stands before the conversation.
    public var systemInstruction: String?
    /// The chat template; nil: prompts are plain text.
    public var chatTemplate: String?
    /// Whether examples are turns of a conversation.
    public var examplesAreTurns = false
    /// The suite that tasks and shots came from.
    public var suite: String?
    /// The program and its version: `facet 0.4.0`.
    public var software: String?
    /// The machine and the engine, for people.
    public var environment = ""
    /// Settings of generation that hold for all tasks: an object.
    package var generation: JSON?

    /// The defaults.
    public init() {}
  }
}
