#include "roles/meta/command_codec.h"

#include <algorithm>

#include <fmt/format.h>

#include "base/check.h"

namespace muster::meta {
namespace {

constexpr std::uint8_t kCommandFormat = 1;

// Numbers on disk: never reused, never changed.
enum class Kind : std::uint8_t {
    member_joined = 1,
    assign_slots = 2,
    raise_ceiling = 3,
    put_config = 4,
    clear_config = 5,
    raise_epochs = 6,
};

void begin(std::string& out, Kind kind) {
    append_big_endian(out, kCommandFormat);
    append_big_endian(out, static_cast<std::uint8_t>(kind));
}

void append_fence(std::string& out, const Fence& fence) {
    append_big_endian(out, fence.physical.raw());
    append_big_endian(out, fence.headroom);
}

Fence read_fence(FieldReader& reader) {
    Fence fence;
    fence.physical = read_version(reader);
    fence.headroom = reader.number<std::uint64_t>();
    if (fence.headroom > kHeadroomMax) {
        reader.refuse();
    }
    return fence;
}

struct Encoder {
    std::string out;

    void operator()(const MemberJoined& command) {
        begin(out, Kind::member_joined);
        append_member(out, command.member);
        append_fence(out, command.fence);
    }
    void operator()(const AssignSlots& command) {
        begin(out, Kind::assign_slots);
        append_big_endian(out, command.base.raw());
        append_big_endian(out, command.slot_count);
        append_fence(out, command.fence);
        append_big_endian(out, static_cast<std::uint16_t>(command.slots.size()));
        for (const AssignSlots::Assignment& slot : command.slots) {
            append_big_endian(out, slot.slot.raw());
            append_string(out, slot.leader.raw());
            append_nodes(out, slot.followers);
        }
    }
    void operator()(const RaiseCeiling& command) {
        begin(out, Kind::raise_ceiling);
        append_big_endian(out, command.to.raw());
    }
    void operator()(const PutConfig& command) {
        begin(out, Kind::put_config);
        append_string(out, command.key);
        append_big_endian(out, command.physical.raw());
        append_string(out, command.value);
    }
    void operator()(const ClearConfig& command) {
        begin(out, Kind::clear_config);
        append_string(out, command.key);
        append_big_endian(out, command.physical.raw());
    }
    void operator()(const RaiseEpochs& command) {
        begin(out, Kind::raise_epochs);
        append_big_endian(out, command.table.raw());
        append_big_endian(out, command.members);
    }
};

AssignSlots read_assign_slots(FieldReader& reader) {
    AssignSlots command;
    command.base = Epoch(reader.number<std::uint64_t>());
    command.slot_count = reader.number<std::uint16_t>();
    command.fence = read_fence(reader);
    const auto count = reader.number<std::uint16_t>();
    for (std::size_t i = 0; i < count && reader.ok(); ++i) {
        AssignSlots::Assignment slot;
        slot.slot = SlotId(reader.number<std::uint16_t>());
        slot.leader = NodeId(std::string(reader.string(kNameBytesMax)));
        slot.followers = read_nodes(reader);
        const bool ascending = command.slots.empty() || command.slots.back().slot < slot.slot;
        if (!ascending || slot.leader.raw().empty()) {
            reader.refuse();
        }
        command.slots.push_back(std::move(slot));
    }
    if (command.slot_count == 0 || command.slot_count > kSlotsMax) {
        reader.refuse();
    }
    return command;
}

std::string read_key(FieldReader& reader) {
    std::string key(reader.string(kConfigKeyBytesMax));
    if (key.empty()) {
        reader.refuse();
    }
    return key;
}

Result<Command> read_body(Kind kind, FieldReader& reader) {
    switch (kind) {
        case Kind::member_joined: {
            MemberJoined command{.member = read_member(reader)};
            command.fence = read_fence(reader);
            return command;
        }
        case Kind::assign_slots: return read_assign_slots(reader);
        case Kind::raise_ceiling: return RaiseCeiling{.to = read_version(reader)};
        case Kind::put_config: {
            PutConfig command{.key = read_key(reader)};
            command.physical = read_version(reader);
            command.value = reader.string(kConfigValueBytesMax);
            return command;
        }
        case Kind::clear_config: {
            ClearConfig command{.key = read_key(reader)};
            command.physical = read_version(reader);
            return command;
        }
        case Kind::raise_epochs: {
            RaiseEpochs command{.table = Epoch(reader.number<std::uint64_t>())};
            command.members = reader.number<std::uint64_t>();
            return command;
        }
    }
    return fail(Errc::refused, fmt::format("a command of kind {}, which this release does not know",
                                           static_cast<int>(kind)));
}

}  // namespace

Version version_at(WallTime wall) {
    constexpr std::int64_t kLatest = std::int64_t{1} << (62 - kVersionCountBits);
    const std::int64_t ms = std::clamp<std::int64_t>(wall.unix_ms, 0, kLatest);
    return Version(static_cast<std::uint64_t>(ms) << kVersionCountBits);
}

std::uint64_t version_span(Duration span) {
    return version_at({.unix_ms = to_ms(span)}).raw();
}

std::string encode_command(const Command& command) {
    Encoder encoder;
    std::visit(encoder, command);
    return std::move(encoder.out);
}

Result<Command> decode_command(std::string_view bytes) {
    FieldReader reader(bytes);
    const auto format = reader.number<std::uint8_t>();
    const auto kind = reader.number<std::uint8_t>();
    if (reader.ok() && format != kCommandFormat) {
        return fail(Errc::refused, fmt::format("a command of format {}; this release reads {}",
                                               format, kCommandFormat));
    }
    if (!reader.ok()) {
        return fail(Errc::bad_content, "a command without format and kind");
    }
    auto command = read_body(static_cast<Kind>(kind), reader);
    if (command && !reader.complete()) {
        return fail(
            Errc::bad_content,
            fmt::format("a command of kind {} that is cut, over a bound or too long", kind));
    }
    return command;
}

std::string encode_outcome(const Result<Version>& outcome) {
    std::string out;
    if (outcome) {
        append_big_endian(out, std::uint8_t{1});
        append_big_endian(out, outcome->raw());
    } else {
        append_big_endian(out, std::uint8_t{0});
        append_big_endian(out, static_cast<std::uint8_t>(outcome.error().code));
        append_string(out, outcome.error().detail);
    }
    return out;
}

Result<Version> decode_outcome(std::string_view bytes) {
    FieldReader reader(bytes);
    if (reader.number<std::uint8_t>() == 1) {
        return Version(reader.number<std::uint64_t>());
    }
    const auto code = static_cast<Errc>(reader.number<std::uint8_t>());
    std::string detail(reader.string(bytes.size()));
    CHECK_BECAUSE(reader.complete(), "outcomes do not leave the process");
    return fail(code, std::move(detail));
}

void append_member(std::string& out, const Member& member) {
    append_string(out, member.node.raw());
    append_big_endian(out, static_cast<std::uint8_t>(member.role));
    append_string(out, member.address);
    append_big_endian(out, member.incarnation.raw());
}

Member read_member(FieldReader& reader) {
    Member member;
    member.node = NodeId(std::string(reader.string(kNameBytesMax)));
    const auto role = reader.number<std::uint8_t>();
    member.role = static_cast<Role>(role);
    member.address = reader.string(kNameBytesMax);
    member.incarnation = Incarnation(reader.number<std::uint64_t>());
    if (member.node.raw().empty() || role > static_cast<std::uint8_t>(Role::session)) {
        reader.refuse();
    }
    return member;
}

void append_nodes(std::string& out, const std::vector<NodeId>& nodes) {
    append_big_endian(out, static_cast<std::uint8_t>(nodes.size()));
    for (const NodeId& node : nodes) {
        append_string(out, node.raw());
    }
}

std::vector<NodeId> read_nodes(FieldReader& reader) {
    std::vector<NodeId> nodes;
    const auto count = reader.number<std::uint8_t>();
    if (count > kFollowersMax) {
        reader.refuse();
    }
    for (std::size_t i = 0; i < count && reader.ok(); ++i) {
        nodes.emplace_back(std::string(reader.string(kNameBytesMax)));
    }
    return nodes;
}

Version read_version(FieldReader& reader) {
    const Version version(reader.number<std::uint64_t>());
    if (version > kVersionMax) {
        reader.refuse();
    }
    return version;
}

}  // namespace muster::meta
