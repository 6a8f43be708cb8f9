// SPDX-License-Identifier: Apache-2.0
// Part of Facet: Gemma, end to end, in Swift.

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

/// Bytes that tensors lie in: memory of ours, 64-byte aligned and zeroed, or a file mapped
/// read-only.
///
/// The one owner of a raw pointer in Facet.
///
/// `@unchecked Sendable`: the pointer and the count never change after `init`. A mapped file is
/// never written. Allocated memory is written only through `Tensor`s, whose owner (a cache, a
/// workspace, a loader) is used by one task at a time; weights are not written after loading.
@safe public final class TensorStorage: @unchecked Sendable {
  /// The first byte; 64-byte aligned for allocated memory, page-aligned for mapped files.
  package let base: UnsafeMutableRawPointer
  /// Bytes that may be touched from `base`.
  public let byteCount: Int
  /// True when the bytes are a read-only file.
  public let isMapped: Bool

  private init(base: UnsafeMutableRawPointer, byteCount: Int, isMapped: Bool) {
    unsafe self.base = base
    self.byteCount = byteCount
    self.isMapped = isMapped
  }

  deinit {
    if isMapped {
      unsafe munmap(base, max(byteCount, 1))
    } else {
      unsafe free(base)
    }
  }

  /// Allocates zeroed memory, aligned for the widest vectors.
  ///
  /// Big blocks ask for huge pages, which saves page faults when activations and caches are first
  /// touched.
  public static func allocate(byteCount: Int) throws(TensorError) -> TensorStorage {
    precondition(byteCount >= 0, "TensorStorage.allocate: \(byteCount) bytes")
    let alignment = byteCount >= hugePage ? hugePage : 64
    let (size, overflow) = max(byteCount, 1).addingReportingOverflow(63)
    var pointer: UnsafeMutableRawPointer?
    guard !overflow, unsafe posix_memalign(&pointer, alignment, size) == 0,
      let base = unsafe pointer
    else {
      throw TensorError(
        .outOfMemory,
        "The system refused \(byteCount) bytes of memory. Use a smaller context or model.")
    }
    #if os(Linux)
      if byteCount >= hugePage { unsafe madvise(base, size, MADV_HUGEPAGE) }
    #endif
    unsafe memset(base, 0, size)
    return unsafe TensorStorage(base: base, byteCount: byteCount, isMapped: false)
  }

  /// Maps the file at `path` read-only.
  ///
  /// The file must not shrink while it is mapped.
  public static func map(path: String) throws(TensorError) -> TensorStorage {
    let descriptor = unsafe open(path, O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else { throw unreadable(path, "open") }
    defer { close(descriptor) }
    var status = stat()
    guard unsafe fstat(descriptor, &status) == 0 else { throw unreadable(path, "inspect") }
    guard status.st_mode & S_IFMT == S_IFREG else {
      throw TensorError(.unreadable, "Cannot read '\(path)': it is not a regular file.")
    }
    let size = Int(status.st_size)
    guard size > 0 else {
      throw TensorError(.unreadable, "Cannot read '\(path)': the file is empty. Download it again.")
    }
    let mapping = unsafe mmap(nil, size, PROT_READ, MAP_SHARED, descriptor, 0)
    guard let base = unsafe mapping, unsafe base != MAP_FAILED else {
      throw unreadable(path, "map")
    }
    return unsafe TensorStorage(base: base, byteCount: size, isMapped: true)
  }

  /// The bytes, read-only.
  public var bytes: RawSpan {
    @_lifetime(borrow self)
    get {
      let span = unsafe RawSpan(_unsafeStart: UnsafeRawPointer(base), byteCount: byteCount)
      return unsafe _overrideLifetime(span, borrowing: self)
    }
  }

  private static let hugePage = 2 << 20

  private static func unreadable(_ path: String, _ verb: String) -> TensorError {
    let reason = unsafe String(cString: strerror(errno))
    return TensorError(.unreadable, "Cannot \(verb) '\(path)': \(reason).")
  }
}
