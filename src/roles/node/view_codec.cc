#include "roles/node/view_codec.h"

#include <utility>

#include <fmt/format.h>

#include "base/bytes.h"
#include "base/check.h"
#include "base/hash.h"

namespace muster::node {
namespace {

constexpr std::string_view kMagic = "MUSTVIEW";
constexpr std::size_t kFormatAt = 8;
constexpr std::size_t kCrcAt = 12;
constexpr std::size_t kBodyAt = 16;
constexpr auto kRoleLast = std::to_underlying(Role::session);
constexpr auto kPhaseLast = std::to_underlying(MemberPhase::dead);

void append_name(std::string& out, std::string_view name) {
    CHECK(name.size() <= kViewNameBytesMax);
    append_big_endian(out, static_cast<std::uint8_t>(name.size()));
    out += name;
}

void append_slot(std::string& out, const Slot& slot) {
    append_name(out, slot.leader.raw());
    CHECK(slot.followers.size() <= kViewFollowersMax);
    append_big_endian(out, static_cast<std::uint8_t>(slot.followers.size()));
    for (const NodeId& follower : slot.followers) {
        append_name(out, follower.raw());
    }
    append_big_endian(out, slot.epoch.raw());
    append_big_endian(out, slot.floor.raw());
}

void append_member(std::string& out, const Member& member) {
    append_name(out, member.node.raw());
    append_big_endian(out, std::to_underlying(member.role));
    append_name(out, member.address);
    append_big_endian(out, member.incarnation.raw());
    append_name(out, member.peer_address);
    append_name(out, member.zone);
    append_big_endian(out, member.folder);
    append_big_endian(out, std::to_underlying(member.phase));
}

// Reads fields one after the other. After the first that is cut every read gives nothing.
class Fields {
public:
    explicit Fields(std::string_view bytes) : left_(bytes) {}

    template <std::unsigned_integral T>
    [[nodiscard]] T number() {
        if (!ok_ || left_.size() < sizeof(T)) {
            ok_ = false;
            return 0;
        }
        const T value = read_big_endian<T>(left_, 0);
        left_.remove_prefix(sizeof(T));
        return value;
    }
    [[nodiscard]] std::string name() {
        const auto size = number<std::uint8_t>();
        if (!ok_ || left_.size() < size) {
            ok_ = false;
            return {};
        }
        std::string value(left_.substr(0, size));
        left_.remove_prefix(size);
        return value;
    }
    template <typename E>
    [[nodiscard]] E choice(std::underlying_type_t<E> last) {
        const auto value = number<std::underlying_type_t<E>>();
        ok_ = ok_ && value <= last;
        return static_cast<E>(ok_ ? value : 0);
    }
    [[nodiscard]] bool ok() const {
        return ok_;
    }
    [[nodiscard]] bool complete() const {
        return ok_ && left_.empty();
    }

private:
    std::string_view left_;
    bool ok_ = true;
};

Slot read_slot(Fields& fields) {
    Slot slot;
    slot.leader = NodeId(fields.name());
    const auto followers = fields.number<std::uint8_t>();
    for (unsigned i = 0; i < followers && fields.ok(); ++i) {
        slot.followers.emplace_back(fields.name());
    }
    slot.epoch = Epoch(fields.number<std::uint64_t>());
    slot.floor = Version(fields.number<std::uint64_t>());
    return slot;
}

Member read_member(Fields& fields) {
    Member member;
    member.node = NodeId(fields.name());
    member.role = fields.choice<Role>(kRoleLast);
    member.address = fields.name();
    member.incarnation = Incarnation(fields.number<std::uint64_t>());
    member.peer_address = fields.name();
    member.zone = fields.name();
    member.folder = fields.number<std::uint64_t>();
    member.phase = fields.choice<MemberPhase>(kPhaseLast);
    return member;
}

}  // namespace

std::string encode_view(const KeptView& view) {
    std::string body;
    append_big_endian(body, view.ceiling.raw());
    append_big_endian(body, view.reserved.raw());
    append_big_endian(body, view.table.epoch.raw());
    CHECK(view.table.slots.size() <= UINT16_MAX && view.members.size() <= kViewMembersMax);
    append_big_endian(body, static_cast<std::uint16_t>(view.table.slots.size()));
    for (const Slot& slot : view.table.slots) {
        append_slot(body, slot);
    }
    append_big_endian(body, view.members_epoch);
    append_big_endian(body, static_cast<std::uint16_t>(view.members.size()));
    for (const Member& member : view.members) {
        append_member(body, member);
    }
    std::string bytes(kMagic);
    append_big_endian(bytes, kViewFormat);
    append_big_endian(bytes, crc32c(body, crc32c(bytes)));
    return bytes + body;
}

Result<KeptView> decode_view(std::string_view bytes) {
    if (bytes.size() < kBodyAt || !bytes.starts_with(kMagic)) {
        return fail(Errc::corrupt, "no header");
    }
    const std::string_view body = bytes.substr(kBodyAt);
    if (read_big_endian<std::uint32_t>(bytes, kCrcAt) !=
        crc32c(body, crc32c(bytes.substr(0, kCrcAt)))) {
        return fail(Errc::corrupt, "does not check");
    }
    if (const auto format = read_big_endian<std::uint32_t>(bytes, kFormatAt);
        format != kViewFormat) {
        return fail(Errc::refused, fmt::format("written in format {} by another release, this one "
                                               "reads format {}",
                                               format, kViewFormat));
    }
    Fields fields(body);
    KeptView view;
    view.ceiling = Version(fields.number<std::uint64_t>());
    view.reserved = Version(fields.number<std::uint64_t>());
    view.table.epoch = Epoch(fields.number<std::uint64_t>());
    const auto slots = fields.number<std::uint16_t>();
    for (unsigned i = 0; i < slots && fields.ok(); ++i) {
        view.table.slots.push_back(read_slot(fields));
    }
    view.members_epoch = fields.number<std::uint64_t>();
    const auto members = fields.number<std::uint16_t>();
    for (unsigned i = 0; i < members && fields.ok(); ++i) {
        view.members.push_back(read_member(fields));
    }
    if (!fields.complete()) {
        return fail(Errc::corrupt, "fields do not fit");
    }
    return view;
}

}  // namespace muster::node
