#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "model/cluster.h"
#include "msg/outbox.h"
#include "raft/consensus.h"
#include "roles/meta/command_codec.h"

namespace muster::meta {

inline constexpr std::uint8_t kSnapshotFormat = 2;

// A member in its present life.
struct MemberEntry {
    Member member;
    // Whether this (node, role) had been a member before this incarnation joined. Decided once,
    // when it joins, so that it stays the same for all its life.
    bool known_before = false;

    [[nodiscard]] bool operator==(const MemberEntry&) const = default;
};

struct ConfigEntry {
    Version version;
    std::shared_ptr<const std::string> value;  // null: cleared
};

// What the metas remember: a pure function of the commands. Changed by apply() and restore() only;
// everybody else reads. Loop thread only. Bounds: command_codec.h.
//
// Invariants: 1. the ceiling and all epochs and versions never go down; 2. the floor of every slot
// is at most the ceiling; 3. a slot that had a leader before has a floor that was the ceiling when
// its present leader's life began, and its epoch grew then; other followers change neither; 4. the
// holders of a slot differ and are data members.
class MetaState final : public raft::StateMachine {
public:
    std::string apply(raft::LogIndex index, std::string_view command) override;
    [[nodiscard]] Result<void> readable(std::string_view command) const override;
    [[nodiscard]] std::string snapshot() const override;
    [[nodiscard]] std::unique_ptr<raft::StateView> view() const override;
    [[nodiscard]] Result<void> restore(std::string_view snapshot) override;

    // The same for a command that is not bytes yet. Errors: conflict, over_limit, invalid_argument.
    Result<Version> apply(const Command& command);

    [[nodiscard]] const std::map<msg::RoleAddress, MemberEntry>& members() const {
        return members_;
    }
    [[nodiscard]] std::uint64_t members_epoch() const {
        return members_epoch_;
    }
    [[nodiscard]] const SlotTable& table() const {
        return table_;
    }
    [[nodiscard]] Version ceiling() const {
        return ceiling_;
    }
    [[nodiscard]] const std::map<std::string, ConfigEntry, std::less<>>& config() const {
        return config_;
    }
    // Of all keys and values.
    [[nodiscard]] std::size_t config_bytes() const {
        return config_bytes_;
    }
    [[nodiscard]] placement::Mode placement_mode() const {
        return mode_;
    }
    [[nodiscard]] const std::map<SlotId, NodeId>& wishes() const {
        return wishes_;
    }
    // Commands in the log that could not be read; they changed nothing.
    [[nodiscard]] std::uint64_t unreadable_commands() const {
        return unreadable_commands_;
    }

    // Null: not a member yet.
    [[nodiscard]] const MemberEntry* find(const msg::RoleAddress& who) const;

private:
    Result<Version> carry_out(const MemberJoined& command);
    Result<Version> carry_out(const AssignSlots& command);
    Result<Version> carry_out(const RaiseCeiling& command);
    Result<Version> carry_out(const PutConfig& command);
    Result<Version> carry_out(const ClearConfig& command);
    Result<Version> carry_out(const RaiseEpochs& command);
    Result<Version> carry_out(const SetPhases& command);
    Result<Version> carry_out(const RemoveMember& command);
    Result<Version> carry_out(const SetPlacement& command);
    Result<Version> carry_out(const WishLeader& command);

    [[nodiscard]] bool is_data(const NodeId& node) const;
    [[nodiscard]] Result<void> check(const AssignSlots& command, std::size_t count) const;

    [[nodiscard]] bool can_fence(const Fence& fence) const;
    void fence_off(std::vector<Slot*> slots, const Fence& fence);
    Result<Version> set_config(std::string_view key, std::shared_ptr<const std::string> value,
                               Version physical);

    std::map<msg::RoleAddress, MemberEntry> members_;
    std::uint64_t members_epoch_ = 0;
    SlotTable table_;
    Version ceiling_;
    placement::Mode mode_ = placement::Mode::automatic;
    std::map<SlotId, NodeId> wishes_;
    std::map<std::string, ConfigEntry, std::less<>> config_;
    std::size_t config_bytes_ = 0;
    std::uint64_t unreadable_commands_ = 0;
};

}  // namespace muster::meta
