// SPDX-License-Identifier: Apache-2.0
// Part of Facet: Gemma, end to end, in Swift.

#if Macros
  import SwiftCompilerPlugin
  import SwiftSyntaxMacros

  /// What the compiler runs to write conformances.
  @main
  struct FacetMacrosPlugin: CompilerPlugin {
    let providingMacros: [any Macro.Type] = [GenerableMacro.self, GuideMacro.self]
  }
#else
  /// Without the trait `Macros` there is nothing to run.
  @main
  struct FacetMacrosPlugin {
    static func main() {}
  }
#endif
