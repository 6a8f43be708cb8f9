// SPDX-License-Identifier: Apache-2.0
// Part of Facet: Gemma, end to end, in Swift.

// What a program needs besides `Model`: `import Facet` is enough.
@_exported import FacetCheckpoint
@_exported import FacetGeneration
@_exported import FacetGuides
@_exported import FacetModel
@_exported import FacetStore
@_exported import FacetTensor
@_exported import FacetTokenizer
