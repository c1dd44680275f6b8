#include "roles/meta/state_view.h"

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

namespace muster::meta {
namespace {

// Of one member, slot or value, beside names and values: numbers and lengths.
constexpr std::size_t kAround = 64;

class View final : public raft::StateView {
public:
    explicit View(const MetaState& state)
        : ceiling_(state.ceiling()),
          members_epoch_(state.members_epoch()),
          table_(state.table()),
          mode_(state.placement_mode()),
          wishes_(state.wishes().begin(), state.wishes().end()),
          about_(state.config_bytes()) {
        members_.reserve(state.members().size());
        for (const auto& [who, entry] : state.members()) {
            members_.push_back(entry);
        }
        config_.reserve(state.config().size());
        for (const auto& [key, entry] : state.config()) {
            config_.emplace_back(key, entry);
        }
        for (const MemberEntry& entry : members_) {
            about_ += entry.member.node.raw().size() + entry.member.address.size();
        }
        for (const Slot& slot : table_.slots) {
            about_ += slot.leader.raw().size();
            for (const NodeId& node : slot.followers) {
                about_ += node.raw().size() + sizeof(std::uint32_t);
            }
        }
        for (const auto& [slot, node] : wishes_) {
            about_ += node.raw().size();
        }
        about_ +=
            (members_.size() + table_.slots.size() + wishes_.size() + config_.size() + 1) * kAround;
    }

    bool append_part(std::string& out, std::size_t bytes_max) override {
        const std::size_t end = out.size() + bytes_max;
        while (stage_ != Stage::done && out.size() < end) {
            step(out);
        }
        return stage_ != Stage::done;
    }

    [[nodiscard]] std::size_t bytes_about() const override {
        return about_;
    }

private:
    enum class Stage : std::uint8_t {
        head,
        members,
        table,
        slots,
        placement,
        wishes,
        values,
        config,
        done
    };

    void enter(Stage stage) {
        stage_ = stage;
        next_ = 0;
    }

    void step(std::string& out) {
        switch (stage_) {
            case Stage::head:
                append_big_endian(out, kSnapshotFormat);
                append_big_endian(out, ceiling_.raw());
                append_big_endian(out, members_epoch_);
                append_big_endian(out, static_cast<std::uint32_t>(members_.size()));
                return enter(Stage::members);
            case Stage::members:
                if (next_ == members_.size()) {
                    return enter(Stage::table);
                }
                return append(out, members_[next_++]);
            case Stage::table:
                append_big_endian(out, table_.epoch.raw());
                append_big_endian(out, static_cast<std::uint32_t>(table_.slots.size()));
                return enter(Stage::slots);
            case Stage::slots:
                if (next_ == table_.slots.size()) {
                    return enter(Stage::placement);
                }
                return append(out, table_.slots[next_++]);
            case Stage::placement:
                append_big_endian(out, static_cast<std::uint8_t>(mode_));
                append_big_endian(out, static_cast<std::uint16_t>(wishes_.size()));
                return enter(Stage::wishes);
            case Stage::wishes:
                if (next_ == wishes_.size()) {
                    return enter(Stage::values);
                }
                return append(out, wishes_[next_++]);
            case Stage::values:
                append_big_endian(out, static_cast<std::uint32_t>(config_.size()));
                return enter(Stage::config);
            case Stage::config:
                if (next_ == config_.size()) {
                    return enter(Stage::done);
                }
                return append(out, config_[next_++]);
            case Stage::done: return;
        }
    }

    static void append(std::string& out, const MemberEntry& entry) {
        append_member(out, entry.member);
        append_big_endian(out, static_cast<std::uint8_t>(entry.known_before ? 1 : 0));
    }
    static void append(std::string& out, const Slot& slot) {
        append_string(out, slot.leader.raw());
        append_nodes(out, slot.followers);
        append_big_endian(out, slot.epoch.raw());
        append_big_endian(out, slot.floor.raw());
    }
    static void append(std::string& out, const std::pair<SlotId, NodeId>& wish) {
        append_big_endian(out, wish.first.raw());
        append_string(out, wish.second.raw());
    }
    static void append(std::string& out, const std::pair<std::string, ConfigEntry>& value) {
        const auto& [key, entry] = value;
        append_string(out, key);
        append_big_endian(out, entry.version.raw());
        append_big_endian(out, static_cast<std::uint8_t>(entry.value ? 1 : 0));
        append_string(out, entry.value ? *entry.value : std::string_view());
    }

    Version ceiling_;
    std::uint64_t members_epoch_;
    SlotTable table_;
    placement::Mode mode_;
    std::vector<std::pair<SlotId, NodeId>> wishes_;
    std::vector<MemberEntry> members_;
    std::vector<std::pair<std::string, ConfigEntry>> config_;
    std::size_t about_;
    Stage stage_ = Stage::head;
    std::size_t next_ = 0;
};

}  // namespace

std::unique_ptr<raft::StateView> view_of(const MetaState& state) {
    return std::make_unique<View>(state);
}

}  // namespace muster::meta
