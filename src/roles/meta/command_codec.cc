#include "roles/meta/command_codec.h"

#include <algorithm>

#include <fmt/format.h>

#include "base/check.h"

namespace muster::meta {
namespace {

constexpr std::uint8_t kCommandFormat = 2;

// Numbers on disk: never reused, never changed.
enum class Kind : std::uint8_t {
    member_joined = 1,
    assign_slots = 2,
    raise_ceiling = 3,
    put_config = 4,
    clear_config = 5,
    raise_epochs = 6,
    set_phases = 7,
    remove_member = 8,
    set_placement = 9,
    wish_leader = 10,
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
        append_big_endian(out, static_cast<std::uint16_t>(command.handed_over.size()));
        for (const MemberJoined::HandOver& one : command.handed_over) {
            append_big_endian(out, one.slot.raw());
            append_string(out, one.to.raw());
        }
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
    void operator()(const SetPhases& command) {
        begin(out, Kind::set_phases);
        append_big_endian(out, static_cast<std::uint16_t>(command.items.size()));
        for (const SetPhases::Item& item : command.items) {
            append_string(out, item.node.raw());
            append_big_endian(out, static_cast<std::uint8_t>(item.role));
            append_big_endian(out, item.incarnation.raw());
            append_big_endian(out, static_cast<std::uint8_t>(item.phase));
        }
    }
    void operator()(const RemoveMember& command) {
        begin(out, Kind::remove_member);
        append_string(out, command.node.raw());
        append_big_endian(out, static_cast<std::uint8_t>(command.role));
    }
    void operator()(const SetPlacement& command) {
        begin(out, Kind::set_placement);
        append_big_endian(out, static_cast<std::uint8_t>(command.mode));
        append_big_endian(out, static_cast<std::uint8_t>(command.forget_wishes ? 1 : 0));
    }
    void operator()(const WishLeader& command) {
        begin(out, Kind::wish_leader);
        append_big_endian(out, command.slot.raw());
        append_string(out, command.node.raw());
    }
};

bool read_flag(FieldReader& reader) {
    const auto flag = reader.number<std::uint8_t>();
    if (flag > 1) {
        reader.refuse();
    }
    return flag == 1;
}

MemberPhase read_phase(FieldReader& reader) {
    const auto phase = reader.number<std::uint8_t>();
    if (phase > static_cast<std::uint8_t>(MemberPhase::dead)) {
        reader.refuse();
    }
    return static_cast<MemberPhase>(phase);
}

MemberJoined read_member_joined(FieldReader& reader) {
    MemberJoined command{.member = read_member(reader)};
    command.fence = read_fence(reader);
    const auto count = reader.number<std::uint16_t>();
    for (std::size_t i = 0; i < count && reader.ok(); ++i) {
        MemberJoined::HandOver one{.slot = SlotId(reader.number<std::uint16_t>())};
        one.to = read_node(reader);
        if (!command.handed_over.empty() && one.slot <= command.handed_over.back().slot) {
            reader.refuse();
        }
        command.handed_over.push_back(std::move(one));
    }
    return command;
}

SetPhases read_set_phases(FieldReader& reader) {
    SetPhases command;
    const auto count = reader.number<std::uint16_t>();
    for (std::size_t i = 0; i < count && reader.ok(); ++i) {
        SetPhases::Item item{.node = read_node(reader)};
        item.role = read_role(reader);
        item.incarnation = Incarnation(reader.number<std::uint64_t>());
        item.phase = read_phase(reader);
        command.items.push_back(std::move(item));
    }
    return command;
}

AssignSlots read_assign_slots(FieldReader& reader) {
    AssignSlots command;
    command.base = Epoch(reader.number<std::uint64_t>());
    command.slot_count = reader.number<std::uint16_t>();
    command.fence = read_fence(reader);
    const auto count = reader.number<std::uint16_t>();
    for (std::size_t i = 0; i < count && reader.ok(); ++i) {
        AssignSlots::Assignment slot;
        slot.slot = SlotId(reader.number<std::uint16_t>());
        slot.leader = read_node(reader);
        slot.followers = read_nodes(reader);
        const bool ascending = command.slots.empty() || command.slots.back().slot < slot.slot;
        if (!ascending) {
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
        case Kind::member_joined: return read_member_joined(reader);
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
        case Kind::set_phases: return read_set_phases(reader);
        case Kind::remove_member: {
            RemoveMember command{.node = read_node(reader)};
            command.role = read_role(reader);
            return command;
        }
        case Kind::set_placement: {
            SetPlacement command{.mode = read_mode(reader)};
            command.forget_wishes = read_flag(reader);
            return command;
        }
        case Kind::wish_leader: {
            WishLeader command{.slot = SlotId(reader.number<std::uint16_t>())};
            command.node = read_node(reader);
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
    append_string(out, member.peer_address);
    append_string(out, member.zone);
    append_big_endian(out, member.folder);
    append_big_endian(out, static_cast<std::uint8_t>(member.phase));
}

Member read_member(FieldReader& reader) {
    Member member;
    member.node = read_node(reader);
    member.role = read_role(reader);
    member.address = reader.string(kNameBytesMax);
    member.incarnation = Incarnation(reader.number<std::uint64_t>());
    member.peer_address = reader.string(kNameBytesMax);
    member.zone = reader.string(kNameBytesMax);
    member.folder = reader.number<std::uint64_t>();
    member.phase = read_phase(reader);
    return member;
}

Role read_role(FieldReader& reader) {
    const auto role = reader.number<std::uint8_t>();
    if (role > static_cast<std::uint8_t>(Role::session)) {
        reader.refuse();
    }
    return static_cast<Role>(role);
}

NodeId read_node(FieldReader& reader) {
    NodeId node(std::string(reader.string(kNameBytesMax)));
    if (node.raw().empty()) {
        reader.refuse();
    }
    return node;
}

placement::Mode read_mode(FieldReader& reader) {
    const auto mode = reader.number<std::uint8_t>();
    if (mode > static_cast<std::uint8_t>(placement::Mode::forced)) {
        reader.refuse();
    }
    return static_cast<placement::Mode>(mode);
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
