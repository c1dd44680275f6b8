#include "raft/vote_file.h"

#include <fmt/format.h>

#include "base/bytes.h"
#include "base/check.h"
#include "base/hash.h"
#include "raft/membership.h"

namespace muster::raft {
namespace {

constexpr std::string_view kMagic = "MUSTVOT\n";
constexpr std::uint32_t kFormat = 1;
constexpr std::size_t kFixedBytes = 8 + 4 + 4 * 8 + 1;

}  // namespace

std::string encode_vote_file(const VoteFile& file) {
    CHECK(file.node.raw().size() <= kNodeIdBytesMax &&
          file.hard.vote.raw().size() <= kNodeIdBytesMax);
    std::string out(kMagic);
    append_big_endian(out, kFormat);
    append_big_endian(out, file.written);
    append_big_endian(out, file.cluster);
    append_big_endian(out, file.hard.term.raw());
    append_big_endian(out, file.hard.life);
    out.push_back(file.hard.doubt ? '\1' : '\0');
    for (const NodeId* node : {&file.node, &file.hard.vote}) {
        out.push_back(static_cast<char>(node->raw().size()));
        out += node->raw();
    }
    append_big_endian(out, crc32c(out));
    return out;
}

Result<VoteFile> decode_vote_file(std::string_view bytes) {
    if (bytes.size() < kFixedBytes + 2 + 4 || !bytes.starts_with(kMagic) ||
        crc32c(bytes.substr(0, bytes.size() - 4)) !=
            read_big_endian<std::uint32_t>(bytes, bytes.size() - 4)) {
        return fail(Errc::corrupt, "it does not match its checksum");
    }
    const auto format = read_big_endian<std::uint32_t>(bytes, 8);
    if (format != kFormat) {
        return fail(Errc::refused, fmt::format("written in format {} by another release, this one "
                                               "reads format {}",
                                               format, kFormat));
    }
    if (static_cast<std::uint8_t>(bytes[44]) > 1) {
        return fail(Errc::corrupt, "a mark is neither set nor unset");
    }
    VoteFile file{.written = read_big_endian<std::uint64_t>(bytes, 12),
                  .cluster = read_big_endian<std::uint64_t>(bytes, 20),
                  .node = NodeId(),
                  .hard = {.term = Term(read_big_endian<std::uint64_t>(bytes, 28)),
                           .vote = NodeId(),
                           .life = read_big_endian<std::uint64_t>(bytes, 36),
                           .doubt = bytes[44] != '\0'}};
    std::string_view rest = bytes.substr(kFixedBytes, bytes.size() - kFixedBytes - 4);
    for (NodeId* node : {&file.node, &file.hard.vote}) {
        const std::size_t size = rest.empty() ? 0 : static_cast<std::uint8_t>(rest.front());
        if (rest.size() < 1 + size) {
            return fail(Errc::corrupt, "a name is cut short");
        }
        *node = NodeId(std::string(rest.substr(1, size)));
        rest.remove_prefix(1 + size);
    }
    if (!rest.empty()) {
        return fail(Errc::corrupt, "there are bytes after its end");
    }
    return file;
}

}  // namespace muster::raft
