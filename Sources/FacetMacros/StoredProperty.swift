// SPDX-License-Identifier: Apache-2.0
// Part of Facet: Gemma, end to end, in Swift.

#if Macros
  import SwiftSyntax
  import SwiftSyntaxMacros

  /// A property that is a member of the type's JSON.
  struct StoredProperty {
    var name: String
    /// What it holds when it is there, as it is written.
    var type: String
    var isOptional: Bool
    /// What stands before it where it is seen from elsewhere, with a space behind.
    var access: String
    /// What `@Guide` says of it: arguments as they are written.
    var description: String?
    var guides: [String] = []

    /// The properties that `variable` declares; those that are not members are left out.
    static func all(
      in variable: VariableDeclSyntax, _ context: some MacroExpansionContext
    ) -> [StoredProperty] {
      guard variable.isMember else { return [] }
      let (description, guides) = Self.guide(of: variable)
      // In `var a, b: Int` the last one says the type of all.
      var type: TypeSyntax?
      var found: [StoredProperty] = []
      for binding in variable.bindings.reversed() where !binding.isComputed {
        type = binding.typeAnnotation?.type ?? (binding.initializer == nil ? type : nil)
        // The compiler does not decode what cannot be changed any more.
        if variable.isConstant, binding.initializer != nil { continue }
        guard let pattern = binding.pattern.as(IdentifierPatternSyntax.self), let type else {
          MacroRefusal.diagnose(
            "The property '\(binding.pattern.trimmedDescription)' needs its type written out: '@Generable' "
              + "sees only the source.", at: binding, in: context)
          continue
        }
        let (wrapped, isOptional) = type.withoutOptional
        found.append(
          StoredProperty(
            name: pattern.identifier.withoutBackticks, type: wrapped.trimmedDescription,
            isOptional: isOptional, access: variable.modifiers.access, description: description,
            guides: guides))
      }
      return found.reversed()
    }

    /// What `@Guide` says of a variable.
    private static func guide(of variable: VariableDeclSyntax) -> (String?, [String]) {
      guard let attribute = variable.attributes.attribute(named: "Guide"),
        case .argumentList(let arguments) = attribute.arguments
      else { return (nil, []) }
      let description = arguments.first { $0.label?.text == "description" }
      let guides = arguments.filter { $0.label == nil }
      return (
        description?.expression.trimmedDescription, guides.map(\.expression.trimmedDescription)
      )
    }
  }

  extension VariableDeclSyntax {
    /// Whether a value of the type holds what this declares.
    var isMember: Bool {
      !modifiers.contains { ["static", "class", "lazy"].contains($0.name.text) }
    }

    var isConstant: Bool { bindingSpecifier.tokenKind == .keyword(.let) }
  }

  extension PatternBindingSyntax {
    /// Whether it is worked out; what only watches a value stores it.
    var isComputed: Bool {
      switch accessorBlock?.accessors {
      case nil: return false
      case .getter: return true
      case .accessors(let accessors):
        return accessors.contains { !["willSet", "didSet"].contains($0.accessorSpecifier.text) }
      }
    }
  }

  extension TypeSyntax {
    /// The type without a question mark, and whether it had one.
    var withoutOptional: (TypeSyntax, isOptional: Bool) {
      if let optional = self.as(OptionalTypeSyntax.self) { return (optional.wrappedType, true) }
      if let optional = self.as(ImplicitlyUnwrappedOptionalTypeSyntax.self) {
        return (optional.wrappedType, true)
      }
      if let named = self.as(IdentifierTypeSyntax.self), named.name.text == "Optional",
        let argument = named.genericArgumentClause?.arguments.first,
        case .type(let wrapped) = argument.argument
      {
        return (wrapped, true)
      }
      return (self, false)
    }
  }

  extension AttributeListSyntax {
    /// The attribute called `name`, with its module before it or not.
    func attribute(named name: String) -> AttributeSyntax? {
      for element in self {
        guard case .attribute(let attribute) = element else { continue }
        let written = attribute.attributeName.trimmedDescription
        if written == name || written == "Facet." + name { return attribute }
      }
      return nil
    }
  }

  extension TokenSyntax {
    /// The name that a token stands for.
    var withoutBackticks: String {
      let name = text
      return name.count > 2 && name.hasPrefix("`") && name.hasSuffix("`")
        ? String(name.dropFirst().dropLast()) : name
    }
  }
#endif
