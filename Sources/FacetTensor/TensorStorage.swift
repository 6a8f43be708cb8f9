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
  public var isMapped: Bool {
    if case .file = origin { true } else { false }
  }

  /// Where the bytes came from, and so how they go back.
  @safe private enum Origin {
    case file
    case pages(start: UnsafeMutableRawPointer, byteCount: Int)
    case allocated
  }

  private let origin: Origin

  private init(base: UnsafeMutableRawPointer, byteCount: Int, origin: Origin) {
    unsafe self.base = base
    self.byteCount = byteCount
    self.origin = origin
  }

  deinit {
    switch origin {
    case .file: unsafe munmap(base, max(byteCount, 1))
    case .pages(let start, let byteCount): unsafe munmap(start, byteCount)
    case .allocated: unsafe free(base)
    }
  }

  /// Allocates zeroed memory, aligned for the widest vectors.
  ///
  /// Blocks of 256 kB and more come straight from the system and go straight back: an allocator keeps what is
  /// freed for later, and the caches of conversations that come and go leave holes in it. A page costs memory
  /// only once it is touched, so a cache for a long context is as large as the text in it. From 2 MB on they
  /// ask for huge pages, which saves page faults and address lookups.
  public static func allocate(byteCount: Int) throws(TensorError) -> TensorStorage {
    precondition(byteCount >= 0, "TensorStorage.allocate: \(byteCount) bytes")
    if byteCount >= leastPages { return try allocatePages(byteCount) }
    var pointer: UnsafeMutableRawPointer?
    let size = (max(byteCount, 1) + 63) / 64 * 64
    guard unsafe posix_memalign(&pointer, 64, size) == 0, let base = unsafe pointer else {
      throw refused(byteCount)
    }
    unsafe memset(base, 0, size)
    return unsafe TensorStorage(base: base, byteCount: byteCount, origin: .allocated)
  }

  /// Bytes of memory behind an allocation of `byteCount` bytes whose first `used` were written.
  package static func touchedByteCount(_ used: Int, of byteCount: Int) -> Int {
    guard byteCount >= hugePage else { return byteCount }
    return min(byteCount, (used + hugePage - 1) / hugePage * hugePage)
  }

  private static func allocatePages(_ byteCount: Int) throws(TensorError) -> TensorStorage {
    let isHuge = byteCount >= hugePage
    let (size, overflow) = byteCount.addingReportingOverflow(isHuge ? 2 * hugePage : 0)
    guard !overflow else { throw refused(byteCount) }
    let mapping = unsafe mmap(
      nil, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANON, -1, 0)
    guard let start = unsafe mapping, unsafe start != MAP_FAILED else { throw refused(byteCount) }
    let base = unsafe isHuge ? start.alignedUp(toMultipleOf: hugePage) : start
    #if os(Linux)
      if isHuge { unsafe madvise(base, byteCount, MADV_HUGEPAGE) }
    #endif
    return unsafe TensorStorage(
      base: base, byteCount: byteCount, origin: .pages(start: start, byteCount: size))
  }

  private static func refused(_ byteCount: Int) -> TensorError {
    TensorError(
      .outOfMemory,
      "The system refused \(byteCount) bytes of memory. Use a smaller context or model.")
  }

  /// Maps the file at `path` read-only.
  ///
  /// The file must not shrink while it is mapped.
  public static func map(path: String) throws(TensorError) -> TensorStorage {
    // O_NONBLOCK: opening a named pipe would wait for its writer; for files it means nothing.
    let descriptor = unsafe open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC)
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
    return unsafe TensorStorage(base: base, byteCount: size, origin: .file)
  }

  /// Gives the pages of a mapped file that have been read so far back to the system, which brings them
  /// again when they are needed: a vocabulary is read once.
  package func forgetPages() {
    guard case .file = origin else { return }
    unsafe madvise(base, byteCount, MADV_DONTNEED)
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
  /// From here on blocks are pages of their own.
  private static let leastPages = 256 << 10

  private static func unreadable(_ path: String, _ verb: String) -> TensorError {
    let reason = unsafe String(cString: strerror(errno))
    return TensorError(.unreadable, "Cannot \(verb) '\(path)': \(reason).")
  }
}
