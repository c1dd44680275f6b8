#pragma once

#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "base/time.h"
#include "model/cluster.h"
#include "model/ids.h"
#include "msg/data_data.h"
#include "store/datum_store.h"
#include "store/slot_log.h"

namespace muster::data {

// What the leader knows of one of its followers.
struct FollowerLink {
    Incarnation life;  // of the follower; zero: it has not asked in this epoch
    // What it was sent and what it acknowledged: as indices of our log, and by the names of those
    // positions that it goes by.
    store::SlotLog::Index sent = 0;
    store::SlotLog::Index acked = 0;
    LogPosition sent_name;
    LogPosition acked_name;
    MonoTime sent_at;
    MonoTime behind_since;  // when the first entry it has not acknowledged was sent
    // Whether it believes that we are settled, as it said last; none: not since we changed.
    std::optional<bool> believes_settled = {};
};

// One slot this node leads, or acts for while its leader is not heard.
struct LedSlot {
    LedSlot(Epoch leader_epoch, std::size_t effects_kept)
        : epoch(leader_epoch), log(effects_kept) {}

    Epoch epoch;
    // All sessions have supplied it in this epoch, as far as they are there: absence is a
    // statement.
    bool settled = false;
    // It began with a copy that was settled: what that holds was once all there was, so it is for
    // whoever knew no more than it.
    bool whole = false;
    bool acting = false;
    LogPosition acts_from;  // where the copy stood when acting began
    bool wrote = false;     // acting: it differs from the leader's since then
    store::DatumStore store;
    store::SlotLog log;
    std::map<NodeId, FollowerLink> followers;
    // What sessions supplied before they had heard of this round counts no more.
    std::uint64_t supply_round = 0;
    Version given_beside;  // the highest known that another gave in our stead
    // The words by which sessions let go what was held or waited for then, and is nobody's or went.
    store::Tombstones let_go;
    // Data of which some session was told less than all, or holds what is not known here.
    std::set<std::string> doubts;
    // Of these, the highest versions that were given on forks.
    std::map<std::string, Version> forked;
};

// An image on its way here.
struct Load {
    std::uint64_t image = 0;
    std::uint32_t part = 0;  // to come next
    LogPosition at;          // of the first part
    msg::ImageCursor from;
    store::DatumStore store;
};

// One slot this node follows.
//
//             position taken                    all there
//   asking ------------------> in step <----+
//     |  the log does not reach     |        |
//     v                             | a gap  |
//   loading (parts of an image) ----+--> asking again
//
struct FollowedSlot {
    explicit FollowedSlot(std::size_t effects_kept) : log(effects_kept) {}

    Epoch epoch;
    NodeId leader;
    store::DatumStore store;
    store::SlotLog log;
    bool whole = false;      // the copy was settled once, and is not far behind
    bool settled = false;    // its leader is, as far as it said in this epoch
    bool in_step = false;    // the leader answered in this epoch, and nothing is known to miss
    bool diverged = false;   // it holds what its leader never gave: an image is needed
    bool acting = false;     // its state is in the led slots
    LogPosition whole_from;  // an image is one state from this position on
    std::unique_ptr<Load> load;
    // What its leader does not know of, until it answers.
    std::vector<store::Write> withdrawn;
    std::vector<msg::FollowSlot::Given> given;
    std::map<std::string, Version> forked;  // as in LedSlot, from when it was one
    MonoTime asked;                         // zero: not yet

    // It may be old: no statement, until its leader, asked anew, says again that it is settled.
    void doubt() {
        whole = false;
        settled = false;
        in_step = false;
    }
    [[nodiscard]] bool consistent() const {
        return log.position() >= whole_from;
    }
    // Some state of the leader's, if not the newest.
    [[nodiscard]] bool can_be_copied() const {
        return !acting && !diverged && consistent() && log.position().epoch != Epoch{};
    }
    [[nodiscard]] bool synced() const {
        return in_step && !diverged && load == nullptr && consistent();
    }
};

// The slots this node leads or follows by the newest table it has seen. State moves with the
// office: a followed copy becomes the led slot, a led slot the base of a followed copy.
class Slots {
public:
    Slots(NodeId self, std::size_t effects_kept) : self_(std::move(self)), kept_(effects_kept) {}

    struct Changes {
        std::vector<SlotId> begun;     // led in a new epoch
        std::vector<SlotId> ended;     // led no more
        std::vector<SlotId> followed;  // to be asked for
    };
    // Takes a newer table; an older one changes nothing. A slot that is led in a new epoch begins
    // unsettled, with what this node has of it. A node that was cut off comes back to slots that it
    // was taken from: of such a slot it still knows what went.
    Changes adopt(const SlotTable& table);
    // The same with a table that an earlier life of this node kept. A slot it led then, whose
    // copies elsewhere go on, is *lost*: it is not led before lead_again(), or by a newer epoch.
    Changes adopt_kept(const SlotTable& table);
    // Lost slots, by the epoch they were led in.
    [[nodiscard]] const std::map<SlotId, Epoch>& lost() const {
        return lost_;
    }
    // Leads a lost slot in the epoch it had, unsettled, with a copy that `log_from` names: no
    // earlier life of ours was ever there.
    LedSlot& lead_again(SlotId slot, store::DatumStore copy, std::uint64_t log_from);
    // Another one leads it by now.
    void give_up(SlotId slot) {
        lost_.erase(slot);
    }
    // What was seen to go is forgotten in time, also of slots that this node has no copy of any
    // more; at most so many.
    void sweep(MonoTime now, std::size_t most);

    // Serves a followed slot in its leader's stead. Requires: it is followed and consistent.
    LedSlot& begin_acting(SlotId slot);
    // Back to following.
    void end_acting(SlotId slot);

    [[nodiscard]] const SlotTable& table() const {
        return table_;
    }
    // Slots led or acted for.
    [[nodiscard]] LedSlot* find(SlotId slot);
    [[nodiscard]] LedSlot* find(const Service& service);
    [[nodiscard]] FollowedSlot* find_followed(SlotId slot);
    [[nodiscard]] std::optional<SlotId> id_of(const Service& service) const;
    // The epoch of `slot` in the table; zero when there is none.
    [[nodiscard]] Epoch epoch_of(SlotId slot) const;

    [[nodiscard]] std::map<SlotId, std::unique_ptr<LedSlot>>& led() {
        return led_;
    }
    [[nodiscard]] const std::map<SlotId, std::unique_ptr<LedSlot>>& led() const {
        return led_;
    }
    [[nodiscard]] std::map<SlotId, std::unique_ptr<FollowedSlot>>& followed() {
        return followed_;
    }
    [[nodiscard]] const std::map<SlotId, std::unique_ptr<FollowedSlot>>& followed() const {
        return followed_;
    }

private:
    Changes take(const SlotTable& table, bool kept);
    void lead(SlotId id, const Slot& slot, Changes& changes);
    void follow(SlotId id, const Slot& slot, Changes& changes);
    void drop(SlotId id, Changes& changes);
    void recall(SlotId id, store::DatumStore& store);

    NodeId self_;
    std::size_t kept_;
    SlotTable table_;
    std::map<SlotId, Epoch> lost_;
    std::map<SlotId, std::unique_ptr<LedSlot>> led_;
    std::map<SlotId, std::unique_ptr<FollowedSlot>> followed_;
    std::map<SlotId, store::Tombstones> went_;  // of slots without a copy here
};

}  // namespace muster::data
