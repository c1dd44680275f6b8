#include "roles/meta/meta_state.h"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "roles/meta/state_view.h"

namespace muster::meta {
namespace {

std::size_t bytes_of(std::string_view key, const ConfigEntry& entry) {
    return key.size() + (entry.value ? entry.value->size() : 0);
}

Slot read_slot(FieldReader& reader) {
    Slot slot;
    slot.leader = NodeId(std::string(reader.string(kNameBytesMax)));
    slot.followers = read_nodes(reader);
    slot.epoch = Epoch(reader.number<std::uint64_t>());
    slot.floor = read_version(reader);
    return slot;
}

}  // namespace

const MemberEntry* MetaState::find(const msg::RoleAddress& who) const {
    const auto found = members_.find(who);
    return found == members_.end() ? nullptr : &found->second;
}

std::string MetaState::apply(raft::LogIndex index, std::string_view command) {
    const auto decoded = decode_command(command);
    if (!decoded) {
        ++unreadable_commands_;
        return encode_outcome(wrap(fmt::format("command {}", index.raw()), Error(decoded.error())));
    }
    return encode_outcome(apply(*decoded));
}

Result<void> MetaState::readable(std::string_view command) const {
    auto decoded = decode_command(command);
    if (!decoded && decoded.error().code == Errc::refused) {
        return std::unexpected(std::move(decoded).error());
    }
    return {};  // bad content was answered as such when it was agreed, and is so again
}

Result<Version> MetaState::apply(const Command& command) {
    return std::visit([this](const auto& one) { return carry_out(one); }, command);
}

bool MetaState::can_fence(const Fence& fence) const {
    const std::uint64_t base = std::max(ceiling_, fence.physical).raw();
    return fence.headroom > 0 && fence.headroom <= kVersionMax.raw() - base;
}

void MetaState::fence_off(std::vector<Slot*> slots, const Fence& fence) {
    for (Slot* slot : slots) {
        slot->floor = ceiling_;
        slot->epoch = Epoch(slot->epoch.raw() + 1);
    }
    if (!slots.empty()) {
        ceiling_ = Version(std::max(ceiling_, fence.physical).raw() + fence.headroom);
    }
}

Result<Version> MetaState::carry_out(const MemberJoined& command) {
    const msg::RoleAddress who{.node = command.member.node, .role = command.member.role};
    const auto known = members_.find(who);
    if (known != members_.end() && known->second.member.incarnation >= command.member.incarnation) {
        return ceiling_;
    }
    if (known == members_.end() && members_.size() >= kMembersMax) {
        return fail(Errc::over_limit, fmt::format("there are {} members already", kMembersMax));
    }
    std::vector<Slot*> led;
    for (Slot& slot : table_.slots) {
        if (who.role == Role::data && slot.leader == who.node) {
            led.push_back(&slot);
        }
    }
    if (!led.empty()) {
        if (!can_fence(command.fence)) {
            return fail(Errc::over_limit, "the versions of 63 bits are used up");
        }
        for (const MemberJoined::HandOver& one : command.handed_over) {
            if (one.slot.raw() >= table_.slots.size() ||
                table_.slots[one.slot.raw()].leader != who.node) {
                continue;
            }
            Slot& slot = table_.slots[one.slot.raw()];
            const auto follower = std::ranges::find(slot.followers, one.to);
            if (follower != slot.followers.end()) {
                std::swap(slot.leader, *follower);
            }
        }
        fence_off(std::move(led), command.fence);
        table_.epoch = Epoch(table_.epoch.raw() + 1);
    }
    members_[who] = {.member = command.member, .known_before = known != members_.end()};
    ++members_epoch_;
    return ceiling_;
}

bool MetaState::is_data(const NodeId& node) const {
    return members_.contains({.node = node, .role = Role::data});
}

Result<void> MetaState::check(const AssignSlots& command, std::size_t count) const {
    if (command.slots.empty() || command.slots.back().slot.raw() >= count) {
        return fail(Errc::invalid_argument, fmt::format("no slot, or one beyond {}", count));
    }
    for (const AssignSlots::Assignment& slot : command.slots) {
        std::vector<NodeId> holders = slot.followers;
        holders.push_back(slot.leader);
        std::ranges::sort(holders);
        const bool twice = std::ranges::adjacent_find(holders) != holders.end();
        if (twice ||
            !std::ranges::all_of(holders, [&](const NodeId& one) { return is_data(one); })) {
            return fail(Errc::invalid_argument,
                        fmt::format("slot {} names a node twice, or one that is no data member",
                                    slot.slot.raw()));
        }
    }
    return {};
}

Result<Version> MetaState::carry_out(const AssignSlots& command) {
    if (command.base != table_.epoch) {
        return fail(Errc::conflict, fmt::format("the table is at epoch {}, not {}",
                                                table_.epoch.raw(), command.base.raw()));
    }
    const std::size_t count = table_.slots.empty() ? command.slot_count : table_.slots.size();
    if (auto fine = check(command, count); !fine) {
        return std::unexpected(std::move(fine).error());
    }
    if (!can_fence(command.fence)) {
        return fail(Errc::over_limit, "the versions of 63 bits are used up");
    }
    table_.slots.resize(count);
    std::vector<Slot*> taken;
    for (const AssignSlots::Assignment& assignment : command.slots) {
        Slot& slot = table_.slots[assignment.slot.raw()];
        if (slot.leader.raw().empty()) {
            slot.epoch = Epoch(slot.epoch.raw() + 1);
        } else if (slot.leader != assignment.leader) {
            taken.push_back(&slot);
        }
        slot.leader = assignment.leader;
        slot.followers = assignment.followers;
    }
    fence_off(std::move(taken), command.fence);
    table_.epoch = Epoch(table_.epoch.raw() + 1);
    return ceiling_;
}

Result<Version> MetaState::carry_out(const SetPhases& command) {
    bool changed = false;
    for (const SetPhases::Item& item : command.items) {
        const auto known = members_.find({.node = item.node, .role = item.role});
        if (known != members_.end() && known->second.member.incarnation == item.incarnation &&
            known->second.member.phase != item.phase) {
            known->second.member.phase = item.phase;
            changed = true;
        }
    }
    members_epoch_ += changed ? 1 : 0;
    return ceiling_;
}

Result<Version> MetaState::carry_out(const RemoveMember& command) {
    const auto known = members_.find({.node = command.node, .role = command.role});
    if (known == members_.end()) {
        return fail(Errc::not_found, fmt::format("no {} member {} is known",
                                                 to_string(command.role), command.node.raw()));
    }
    if (known->second.member.phase != MemberPhase::dead) {
        return fail(Errc::conflict,
                    fmt::format("{} is {}, not dead: stop it first", command.node.raw(),
                                to_string(known->second.member.phase)));
    }
    if (command.role == Role::data) {
        const auto led = std::ranges::count_if(
            table_.slots, [&](const Slot& slot) { return slot.leader == command.node; });
        if (led > 0) {
            return fail(Errc::conflict,
                        fmt::format("{} still leads {} slots, which no living data node could take",
                                    command.node.raw(), led));
        }
        std::size_t followed = 0;
        for (Slot& slot : table_.slots) {
            followed += std::erase(slot.followers, command.node);
        }
        if (followed > 0) {
            table_.epoch = Epoch(table_.epoch.raw() + 1);
        }
        std::erase_if(wishes_, [&](const auto& one) { return one.second == command.node; });
    }
    members_.erase(known);
    ++members_epoch_;
    return ceiling_;
}

Result<Version> MetaState::carry_out(const SetPlacement& command) {
    mode_ = command.mode;
    if (command.forget_wishes) {
        wishes_.clear();
    }
    return ceiling_;
}

Result<Version> MetaState::carry_out(const WishLeader& command) {
    if (command.slot.raw() >= table_.slots.size()) {
        return fail(Errc::invalid_argument, fmt::format("slot {}: there are {}, counted from 0",
                                                        command.slot.raw(), table_.slots.size()));
    }
    if (!is_data(command.node)) {
        return fail(Errc::not_found, fmt::format("no data node {} is known", command.node.raw()));
    }
    wishes_[command.slot] = command.node;
    return ceiling_;
}

Result<Version> MetaState::carry_out(const RaiseCeiling& command) {
    ceiling_ = std::max(ceiling_, command.to);
    return ceiling_;
}

Result<Version> MetaState::carry_out(const PutConfig& command) {
    return set_config(command.key, std::make_shared<const std::string>(command.value),
                      command.physical);
}

Result<Version> MetaState::carry_out(const ClearConfig& command) {
    const auto known = config_.find(command.key);
    if (known == config_.end()) {
        return Version();  // was never set
    }
    return set_config(command.key, nullptr, command.physical);
}

Result<Version> MetaState::set_config(std::string_view key,
                                      std::shared_ptr<const std::string> value, Version physical) {
    const auto known = config_.find(key);
    const bool is_new = known == config_.end();
    ConfigEntry next{.version = physical, .value = std::move(value)};
    std::size_t bytes_before = 0;
    if (!is_new) {
        const ConfigEntry& old = known->second;
        const bool same = old.value && next.value ? *old.value == *next.value
                                                  : old.value == nullptr && next.value == nullptr;
        if (same) {
            return old.version;
        }
        next.version = std::max(Version(old.version.raw() + 1), physical);
        bytes_before = bytes_of(key, old);
    }
    if (next.version == Version() || next.version > kVersionMax) {
        next.version = std::clamp(next.version, Version(1), kVersionMax);
    }
    const std::size_t bytes = config_bytes_ - bytes_before + bytes_of(key, next);
    if (is_new && config_.size() >= kConfigKeysMax) {
        return fail(Errc::over_limit, fmt::format("there are {} configuration keys already, "
                                                  "cleared ones included",
                                                  kConfigKeysMax));
    }
    if (bytes > kConfigBytesMax) {
        return fail(Errc::over_limit, fmt::format("all configuration would be {} bytes; at most {}",
                                                  bytes, kConfigBytesMax));
    }
    config_bytes_ = bytes;
    const Version version = next.version;
    config_[std::string(key)] = std::move(next);
    return version;
}

Result<Version> MetaState::carry_out(const RaiseEpochs& command) {
    if (command.table.raw() >= kEpochMax || command.members >= kEpochMax) {
        return fail(Errc::invalid_argument, "an epoch that no cluster reaches");
    }
    if (command.table >= table_.epoch) {
        table_.epoch = Epoch(command.table.raw() + 1);
    }
    members_epoch_ = std::max(members_epoch_, command.members + 1);
    return ceiling_;
}

std::string MetaState::snapshot() const {
    std::string out;
    const auto all = view();
    while (all->append_part(out, SIZE_MAX / 2)) {
    }
    return out;
}

std::unique_ptr<raft::StateView> MetaState::view() const {
    return view_of(*this);
}

Result<void> MetaState::restore(std::string_view snapshot) {
    FieldReader reader(snapshot);
    const auto format = reader.number<std::uint8_t>();
    if (reader.ok() && format != kSnapshotFormat) {
        return fail(Errc::refused, fmt::format("a state of format {}; this release reads {}",
                                               format, kSnapshotFormat));
    }
    MetaState next;
    next.unreadable_commands_ = unreadable_commands_;
    next.ceiling_ = read_version(reader);
    next.members_epoch_ = reader.number<std::uint64_t>();
    const auto members = reader.number<std::uint32_t>();
    for (std::uint32_t i = 0; i < members && reader.ok(); ++i) {
        MemberEntry entry{.member = read_member(reader)};
        entry.known_before = reader.number<std::uint8_t>() != 0;
        next.members_.emplace(
            msg::RoleAddress{.node = entry.member.node, .role = entry.member.role}, entry);
    }
    next.table_.epoch = Epoch(reader.number<std::uint64_t>());
    const auto slots = reader.number<std::uint32_t>();
    for (std::uint32_t i = 0; i < slots && i <= kSlotsMax && reader.ok(); ++i) {
        next.table_.slots.push_back(read_slot(reader));
    }
    next.mode_ = read_mode(reader);
    const auto wishes = reader.number<std::uint16_t>();
    for (std::uint16_t i = 0; i < wishes && reader.ok(); ++i) {
        const SlotId slot(reader.number<std::uint16_t>());
        next.wishes_.emplace(slot, read_node(reader));
    }
    const auto keys = reader.number<std::uint32_t>();
    for (std::uint32_t i = 0; i < keys && reader.ok(); ++i) {
        std::string key(reader.string(kConfigKeyBytesMax));
        ConfigEntry entry{.version = read_version(reader), .value = nullptr};
        const bool set = reader.number<std::uint8_t>() != 0;
        const std::string_view value = reader.string(kConfigValueBytesMax);
        entry.value = set ? std::make_shared<const std::string>(value) : nullptr;
        next.config_bytes_ += bytes_of(key, entry);
        next.config_.emplace(std::move(key), std::move(entry));
    }
    const bool whole = reader.complete() && next.members_.size() == members &&
                       next.table_.slots.size() == slots && slots <= kSlotsMax &&
                       next.wishes_.size() == wishes && next.config_.size() == keys;
    if (!whole) {
        return fail(Errc::corrupt, "the state is cut, over a bound or holds something twice");
    }
    *this = std::move(next);
    return {};
}

}  // namespace muster::meta
