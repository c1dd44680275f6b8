#pragma once

#include <map>
#include <memory>
#include <optional>
#include <set>
#include <vector>

#include "base/time.h"
#include "model/cluster.h"
#include "model/ids.h"
#include "msg/data_data.h"
#include "roles/data/slots.h"

namespace muster::data {

struct RegainOptions {
    Duration retry;     // what was not answered is asked again after so long
    Duration patience;  // who does not answer for so long is not waited for
};

// Fetches copies of slots that this node led before a restart without metas: asks everybody who
// holds them how far they are, then takes an image of each from the one that knows most. That is
// one that acts in our stead, if there is any; else the one furthest on our log.
//
//   asking --all answered, ended, or patience over--> loading --all slots done--> over
//
// A slot that nobody can give is done with an empty copy, one whose source falls silent with what
// came: sessions supply what they own. Loop thread only. Bounds: one entry per slot, a few images
// at once.
class Regain {
public:
    explicit Regain(RegainOptions options) : options_(options) {}

    // `lost`: as in Slots. `holders`: others who hold some of these.
    void begin(const std::map<SlotId, Epoch>& lost, std::set<NodeId> holders, MonoTime now);
    // Slots that are not lost any more are forgotten.
    void keep_only(const std::map<SlotId, Epoch>& lost);

    // What `holder` answers to the question how far its copies are. Returns slots that a newer
    // epoch leads.
    std::vector<SlotId> heard(const NodeId& holder, const msg::CopiesReply& reply, MonoTime now);
    // The process of `node` ended.
    void ended(const NodeId& node);

    // What is to be asked now.
    struct Questions {
        std::vector<NodeId> holders;  // how far they are
        struct Part {
            NodeId of;
            SlotId slot;
            Epoch epoch;
            std::uint64_t image = 0;
            std::uint32_t part = 0;
            msg::ImageCursor from;
        };
        std::vector<Part> parts;
    };
    [[nodiscard]] Questions due(MonoTime now);

    // Where `part` goes; null when it is not one that was asked for.
    [[nodiscard]] Load* expects(const NodeId& from, const msg::SlotImage& part);
    // It is installed.
    void took(const msg::SlotImage& part, MonoTime now);

    // Nothing is left to fetch, of slots there were. What came of `slot` is taken out by copy_of().
    [[nodiscard]] bool done() const;
    [[nodiscard]] store::DatumStore copy_of(SlotId slot);
    [[nodiscard]] bool active() const {
        return !slots_.empty();
    }

    // After a pause of our own.
    void extend(Duration gap);

private:
    struct Wanted {
        Epoch epoch;
        NodeId source;  // empty: nobody
        bool acting = false;
        LogPosition held;
        std::unique_ptr<Load> load;
        bool done = false;
        MonoTime asked;
        MonoTime heard;
    };
    [[nodiscard]] bool asking(MonoTime now) const {
        return !unheard_.empty() && now - since_ < options_.patience;
    }

    RegainOptions options_;
    std::map<SlotId, Wanted> slots_;
    std::set<NodeId> unheard_;  // holders
    MonoTime since_;
    std::optional<MonoTime> asked_;
    std::uint64_t last_image_ = std::uint64_t{1} << 63;  // apart from those of followed slots
};

}  // namespace muster::data
