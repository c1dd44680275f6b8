#include <cstddef>
#include <cstdint>
#include <string_view>

#include "base/check.h"
#include "base/hash.h"
#include "raft/message_codec.h"
#include "raft/vote_file.h"

namespace muster::raft {
namespace {

// What is read is written back as the same bytes.
void read_message(std::string_view input) {
    const auto read = decode_message(input);
    if (read) {
        CHECK(encode_message(read->cluster, read->message) == input);
    }
}

// The same with a checksum that holds, so that what stands behind it is reached.
void read_sealed(std::string_view input) {
    std::string bytes("MR\1", 3);
    bytes.push_back(input.empty() ? '\0' : input.front());
    input.remove_prefix(input.empty() ? 0 : 1);
    const std::uint32_t crc = crc32c(input, crc32c(bytes));
    append_big_endian(bytes, crc);
    bytes += input;
    read_message(bytes);
}

}  // namespace
}  // namespace muster::raft

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string_view input(reinterpret_cast<const char*>(data), size);
    muster::raft::read_message(input);
    muster::raft::read_sealed(input);
    if (const auto file = muster::raft::decode_vote_file(input)) {
        CHECK(muster::raft::encode_vote_file(*file) == input);
    }
    return 0;
}
