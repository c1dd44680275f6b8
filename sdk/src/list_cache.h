#pragma once

#include <map>
#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "roles/client/client.h"

namespace muster::sdk_core {

// The file of one list:
//
//   "MUSTERL1" | crc32c (4, big endian) of all that follows | as_of in ms (8, big endian) |
//   muster.v1.Push: the list as a whole, its scope and zone (docs/protocol/native.md)
//
// What may never change: the first 12 bytes. Another number than 1 is another format: not read.
[[nodiscard]] std::string encode_cached_list(const client::ListSnapshot& list);
// Errors: corrupt.
[[nodiscard]] Result<client::ListSnapshot> decode_cached_list(std::string_view bytes);

// Last lists in a folder, one file each, so that a change writes only its own list. Files are
// replaced as a whole (a reader sees the old or the new) and carry a checksum; after a power cut
// one may be lost, which is no more than a cache may do. Several processes may share a folder:
// what they write is the same. No thread of its own: calls may block.
class ListCache {
public:
    explicit ListCache(std::string folder) : folder_(std::move(folder)) {}

    struct Loaded {
        std::vector<client::ListSnapshot> lists;
        std::vector<std::string> problems;  // files that cannot be used
    };
    // A folder that is missing is an empty one.
    [[nodiscard]] Loaded load() const;

    // Errors: io_error.
    [[nodiscard]] Result<void> save(const client::ListSnapshot& list) const;

private:
    [[nodiscard]] std::string file_of(const client::ListKey& key) const;

    std::string folder_;
};

}  // namespace muster::sdk_core
