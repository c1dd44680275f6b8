#pragma once

#include <algorithm>
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "history/recorder.h"
#include "sim/checkers/truth.h"
#include "sim/world/registry.h"

namespace muster::sim {

// What data nodes note for `muster history` agrees with what is true and with what was shown. Each
// node notes only what it decides itself while it leads a slot, or stands in for its leader, so
// "by the last word of some node" is what there is to rely on.
//
//   - What a listener is shown was noted as there.
//   - What disappears from a view was noted as gone, or drained, in a version between those of the
//     two lists, or is so by the last word of some node. An incomplete list takes nothing away, so
//     that behind one any version up to that of the new list will do.
//   - A cause is true: `left` is what its client took back; `closed` what lost a connection, or its
//     client; `session_ended` and `session_anew` are of a session whose process has ended.
//   - The versions that one life of a node notes of a service do not fall.
//   - At rest what lives is there by the last word of some node, and what ended is not by that of
//     some node, if it was ever noted.
//
// Excused is
//   - what is shown, or not any more, in a version that is given apart: a session that reaches
//     nobody who holds the service goes by its own clients. When it reaches somebody who does not
//     know all yet, it keeps what it showed so;
//   - what disappears from the view of a listener that crossed a cut: see Truth::crossed();
//   - that nobody notes the end of what was last noted as there before data nodes were disturbed,
//     unless all copies were seen at rest since: one that died, stood still or was cut off may have
//     had the last copy that knew of it, and who leads next is supplied with what lives.
class HistoryChecker final : public Checker {
public:
    HistoryChecker(Truth& truth, const Registry& registry) : Checker(truth), registry_(registry) {}

    // A data node notes it.
    void on_noted(Node& node, const history::Note& note);
    // A living session found a connection of this client ended.
    void on_connection_ended(const std::string& client) {
        cut_off_.insert(client);
    }

    void on_shown(const Listener& listener, const Shown* before, const Shown& now) override;
    void step() override;
    void at_rest() override;

private:
    // What one node said last.
    struct Word {
        std::uint64_t node = 0;
        bool there = false;
        bool drained = false;

        [[nodiscard]] bool gone() const {
            return !there || drained;
        }
    };
    struct Story {
        std::vector<Word> words;
        std::vector<Version> gone;  // in which it was noted as gone, or drained
        MonoTime noted_there;       // by any of them, last
        bool forgotten = false;     // nobody is expected to know that it ended
    };

    void judge_cause(const history::Note& note);
    void judge_version(Node& node, const history::Note& note);
    void judge_shown(const Listener& listener, const RegistId& id);
    void judge_gone(const Listener& listener, const RegistId& id, Version from, Version to);
    // Whether data nodes were disturbed since that moment.
    [[nodiscard]] bool disturbed_since(MonoTime moment) const;
    // Whether the last copy that knew of it may be gone.
    [[nodiscard]] bool may_be_lost(const Story& story) const {
        return disturbed_since(std::max(story.noted_there, rested_));
    }
    void report(const std::string& what, const RegistId& id);

    const Registry& registry_;
    std::map<RegistId, Story> stories_;
    std::set<std::string> cut_off_;  // clients
    struct Noted {
        std::uint64_t life = 0;
        Version version;
    };
    std::map<std::pair<std::uint64_t, std::string>, Noted> versions_;  // by node and data id
    MonoTime rested_;
    MonoTime disturbed_;
};

}  // namespace muster::sim
