#include "raft/message_codec.h"

#include <utility>

#include <fmt/format.h>

#include "base/bytes.h"
#include "base/check.h"
#include "base/hash.h"
#include "raft/membership.h"

namespace muster::raft {
namespace {

constexpr std::string_view kMagic = "MR";
constexpr std::size_t kPreambleBytes = 2 + 1 + 1 + 4;
constexpr std::size_t kEntryBytes = 8 + 1 + 4;

void put(std::string& out, const NodeId& node) {
    CHECK(!node.raw().empty() && node.raw().size() <= kNodeIdBytesMax);
    out.push_back(static_cast<char>(node.raw().size()));
    out += node.raw();
}
void put(std::string& out, std::uint64_t value) {
    append_big_endian(out, value);
}
void put(std::string& out, LogIndex index) {
    append_big_endian(out, index.raw());
}
void put(std::string& out, Term term) {
    append_big_endian(out, term.raw());
}
void put(std::string& out, bool value) {
    out.push_back(value ? '\1' : '\0');
}

void put_body(std::string& out, const VoteRequest& body) {
    put(out, body.pre);
    put(out, body.transfer);
    put(out, body.last_index);
    put(out, body.last_term);
}
void put_body(std::string& out, const VoteReply& body) {
    put(out, body.pre);
    put(out, body.granted);
}
void put_body(std::string& out, const AppendRequest& body) {
    put(out, body.prev_index);
    put(out, body.prev_term);
    put(out, body.commit);
    put(out, body.round);
    put(out, body.last);
    put(out, body.life);
    append_big_endian(out, static_cast<std::uint32_t>(body.entries.size()));
    for (const Entry& entry : body.entries) {
        const std::string_view data = entry.data ? std::string_view(*entry.data) : "";
        put(out, entry.term);
        out.push_back(static_cast<char>(entry.kind));
        append_big_endian(out, static_cast<std::uint32_t>(data.size()));
        out += data;
    }
}
void put_body(std::string& out, const AppendReply& body) {
    put(out, body.accepted);
    put(out, body.match);
    put(out, body.refused_prev);
    put(out, body.hint_term);
    put(out, body.round);
    put(out, body.life);
    put(out, body.doubt);
}
void put_body(std::string& out, const SnapshotChunk& body) {
    put(out, body.index);
    put(out, body.index_term);
    put(out, body.total);
    append_big_endian(out, body.crc);
    put(out, body.offset);
    put(out, body.round);
    out += body.bytes;
}
void put_body(std::string& out, const SnapshotReply& body) {
    put(out, body.index);
    put(out, body.offset);
    put(out, body.round);
    put(out, body.life);
}
void put_body(std::string& /*out*/, const TimeoutNow& /*body*/) {}
void put_body(std::string& out, const PastRequest& body) {
    put(out, body.life);
}
void put_body(std::string& out, const PastReply& body) {
    put(out, body.life);
    put(out, body.nothing);
}

// Reads from the front; after the first failure everything else fails, too.
class Reader {
public:
    explicit Reader(std::string_view bytes) : bytes_(bytes) {}

    template <typename T>
    [[nodiscard]] T number() {
        if (bytes_.size() < sizeof(T)) {
            ok_ = false;
            bytes_ = {};
            return T{};
        }
        const T value = read_big_endian<T>(bytes_, 0);
        bytes_.remove_prefix(sizeof(T));
        return value;
    }
    template <typename I>
    [[nodiscard]] I id() {
        return I(number<std::uint64_t>());
    }
    [[nodiscard]] bool flag() {
        const auto value = number<std::uint8_t>();
        ok_ = ok_ && value <= 1;
        return value == 1;
    }
    [[nodiscard]] std::string_view take(std::size_t size) {
        if (bytes_.size() < size) {
            ok_ = false;
            bytes_ = {};
            return {};
        }
        const std::string_view taken = bytes_.substr(0, size);
        bytes_.remove_prefix(size);
        return taken;
    }
    [[nodiscard]] NodeId node() {
        const std::string_view name = take(number<std::uint8_t>());
        ok_ = ok_ && !name.empty();
        return NodeId(std::string(name));
    }
    [[nodiscard]] std::string_view rest() {
        return std::exchange(bytes_, {});
    }
    [[nodiscard]] std::size_t left() const {
        return bytes_.size();
    }
    void fail() {
        ok_ = false;
    }
    [[nodiscard]] bool ok() const {
        return ok_;
    }

private:
    std::string_view bytes_;
    bool ok_ = true;
};

bool take_entry(Reader& reader, Term limit, Entry& entry, Term before) {
    entry.term = reader.id<Term>();
    const auto kind = reader.number<std::uint8_t>();
    const std::string_view data = reader.take(reader.number<std::uint32_t>());
    if (!reader.ok() || kind < 1 || kind > 3 || entry.term < before || entry.term > limit) {
        return false;
    }
    entry.kind = static_cast<EntryKind>(kind);
    if (entry.kind == EntryKind::membership) {
        std::string_view members = data;
        if (!take_membership(members) || !members.empty()) {
            return false;
        }
    }
    entry.data = std::make_shared<const std::string>(data);
    return true;
}

AppendRequest take_append(Reader& reader, Term limit) {
    AppendRequest body{.prev_index = reader.id<LogIndex>(),
                       .prev_term = reader.id<Term>(),
                       .commit = reader.id<LogIndex>(),
                       .round = reader.number<std::uint64_t>(),
                       .last = reader.id<LogIndex>(),
                       .life = reader.number<std::uint64_t>(),
                       .entries = {}};
    const auto count = reader.number<std::uint32_t>();
    const bool overflows = body.prev_index.raw() > UINT64_MAX - count;
    if (!reader.ok() || count > reader.left() / kEntryBytes || overflows) {
        reader.fail();
        return body;
    }
    Term before = body.prev_term;
    for (std::uint32_t i = 0; i < count; ++i) {
        Entry entry{.term = {}, .index = LogIndex(body.prev_index.raw() + i + 1), .data = nullptr};
        if (!take_entry(reader, limit, entry, before)) {
            reader.fail();
            return body;
        }
        before = entry.term;
        body.entries.push_back(std::move(entry));
    }
    return body;
}

MessageBody take_body(Reader& reader, std::uint8_t type, Term term) {
    switch (type) {
        case 0:
            return VoteRequest{.pre = reader.flag(),
                               .transfer = reader.flag(),
                               .last_index = reader.id<LogIndex>(),
                               .last_term = reader.id<Term>()};
        case 1: return VoteReply{.pre = reader.flag(), .granted = reader.flag()};
        case 2: return take_append(reader, term);
        case 3:
            return AppendReply{.accepted = reader.flag(),
                               .match = reader.id<LogIndex>(),
                               .refused_prev = reader.id<LogIndex>(),
                               .hint_term = reader.id<Term>(),
                               .round = reader.number<std::uint64_t>(),
                               .life = reader.number<std::uint64_t>(),
                               .doubt = reader.flag()};
        case 4:
            return SnapshotChunk{.index = reader.id<LogIndex>(),
                                 .index_term = reader.id<Term>(),
                                 .total = reader.number<std::uint64_t>(),
                                 .crc = reader.number<std::uint32_t>(),
                                 .offset = reader.number<std::uint64_t>(),
                                 .round = reader.number<std::uint64_t>(),
                                 .bytes = std::string(reader.rest())};
        case 5:
            return SnapshotReply{.index = reader.id<LogIndex>(),
                                 .offset = reader.number<std::uint64_t>(),
                                 .round = reader.number<std::uint64_t>(),
                                 .life = reader.number<std::uint64_t>()};
        case 6: return TimeoutNow{};
        case 7: return PastRequest{.life = reader.number<std::uint64_t>()};
        case 8: return PastReply{.life = reader.number<std::uint64_t>(), .nothing = reader.flag()};
        default: reader.fail(); return TimeoutNow{};
    }
}

}  // namespace

std::string encode_message(std::uint64_t cluster, const Message& message) {
    std::string out;
    put(out, cluster);
    put(out, message.from);
    put(out, message.to);
    put(out, message.term);
    std::visit([&](const auto& body) { put_body(out, body); }, message.body);
    std::string framed(kMagic);
    framed.push_back(static_cast<char>(kMessageFormat));
    framed.push_back(static_cast<char>(message.body.index()));
    append_big_endian(framed, crc32c(out, crc32c(framed)));
    framed += out;
    return framed;
}

Result<Envelope> decode_message(std::string_view bytes) {
    if (bytes.size() > kMessageBytesMax) {
        return fail(Errc::too_large, fmt::format("a message of {} bytes; at most {}", bytes.size(),
                                                 kMessageBytesMax));
    }
    if (bytes.size() < kPreambleBytes || !bytes.starts_with(kMagic)) {
        return fail(Errc::bad_frame, "not a message between nodes of a group");
    }
    if (static_cast<std::uint8_t>(bytes[2]) != kMessageFormat) {
        return fail(Errc::refused,
                    fmt::format("a message in format {}, this release reads {}",
                                static_cast<std::uint8_t>(bytes[2]), kMessageFormat));
    }
    const std::uint32_t crc = crc32c(bytes.substr(kPreambleBytes), crc32c(bytes.substr(0, 4)));
    if (crc != read_big_endian<std::uint32_t>(bytes, 4)) {
        return fail(Errc::bad_frame, "a message does not match its checksum");
    }
    Reader reader(bytes.substr(kPreambleBytes));
    Envelope envelope;
    envelope.cluster = reader.number<std::uint64_t>();
    envelope.message.from = reader.node();
    envelope.message.to = reader.node();
    envelope.message.term = reader.id<Term>();
    envelope.message.body =
        take_body(reader, static_cast<std::uint8_t>(bytes[3]), envelope.message.term);
    if (!reader.ok() || reader.left() > 0) {
        return fail(Errc::bad_frame, "a message contradicts itself or is cut short");
    }
    return envelope;
}

}  // namespace muster::raft
