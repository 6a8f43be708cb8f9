// SPDX-License-Identifier: Apache-2.0
// Part of Facet: Gemma, end to end, in Swift.

public import FacetTensor

/// A place in the forward pass where somebody may look: tests compare it with an oracle, debugging
/// views draw it.
///
/// Values are rows of the residual stream [T, D] unless said otherwise.
public enum TapPoint: Sendable, Hashable {
  /// After the embedding and its scale.
  case embedding
  /// After attention was added to the residual stream.
  case attention(layer: Int)
  /// After the feed-forward block was added: the layer's output.
  case layer(Int)
  /// After the final norm, for the rows whose logits are wanted.
  case finalNorm
}

/// Called at each ``TapPoint`` when given; costs nothing when not.
///
/// The tensor is valid during the call.
public typealias Tap = (TapPoint, Tensor) -> Void
