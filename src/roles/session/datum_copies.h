#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <unordered_map>
#include <unordered_set>
#include <utility>
#include <variant>
#include <vector>

#include "base/time.h"
#include "model/datum.h"
#include "model/ids.h"
#include "model/subscription.h"
#include "msg/session_data.h"
#include "roles/session/copied_list.h"

namespace muster::session {

// The session's copy of one datum, folded from what the leader tells.
struct DatumCopy {
    // One version step: which ids it touched.
    struct Step {
        Version from;
        Version to;
        std::vector<RegistId> touched;
        bool from_own = false;  // `from` was a version of our own
    };

    // What was shown before the first version of our own.
    struct Told {
        Version version;
        CopiedList publications;
    };

    // The newest kMax publications that went, as they were last seen here: a leader with an old
    // copy may tell of them again before the sessions have told it better. What is told of an
    // earlier version than what is remembered changes nothing.
    class Departed {
    public:
        static constexpr std::size_t kMax = 1000;

        void went(const Departure& gone) {
            gone.connection ? lost(gone.id, gone.order, *gone.connection)
                            : left(gone.id, gone.order);
        }
        // No state of it up to `order` is there any more: its client said so.
        void left(const RegistId& id, RegistOrder order);
        // Its connection or its lease ended. Its client may come back with the same state, but over
        // another connection.
        void lost(const RegistId& id, RegistOrder order, std::uint64_t connection);
        // It is there again, whatever was lost.
        void came(const RegistId& id);

        // Whether this is a state that went.
        [[nodiscard]] bool holds(const Publication& publication) const;
        // Whether what went was of a later version than this.
        [[nodiscard]] bool outdates(const Publication& publication) const;

    private:
        struct Gone {
            RegistOrder order;
            std::optional<std::uint64_t> connection;  // as in Departure
        };
        std::pair<Gone&, bool> remember(const RegistId& id);  // and whether it is new

        std::unordered_map<RegistId, Gone> gone_;
        std::deque<RegistId> ages_;  // also of some that came again
    };

    ServicePtr service;
    Version version;        // zero: nothing told yet
    bool complete = false;  // a leader that knew all has told it once: absence means gone
    // Some of it is not the word of the slot's leader, but of us or of who stood in for it: the
    // leader may have given the same versions to something else.
    bool diverged = false;
    CopiedList publications;
    // Of these, what a leader that does not know all has not told of.
    std::unordered_set<RegistId> untold;
    Departed departed;
    std::optional<Told> told;  // while `version` is one of our own
    std::deque<Step> steps;
    std::map<std::string, ServiceViewPtr> views;  // of this version, by zone; "" is all zones
    // Differences that lead to one of these, the newest kFoldsMax; null where the list is shorter.
    struct Fold {
        ServiceViewPtr view;
        Version from;
        ViewDeltaPtr delta;
    };
    static constexpr std::size_t kFoldsMax = 16;
    std::vector<Fold> folds;
    bool wanted = false;
    MonoTime unwanted_since;
    Version heard;  // the highest any client said to have
    // What clients said to have, the newest kSeenMax of each, sorted.
    static constexpr std::size_t kSeenMax = 16;
    // Below `version`, and never led here: another leader told them of what may not be known here.
    // To those clients the list is not all there is, until a leader that knows all has told it
    // anew.
    std::vector<Version> doubted;
    std::vector<Version> ahead;  // above `version`

    void doubt(Version seen);
};

// How a leader is told of it. What diverged is no base for differences: it is told whole, above all
// that was shown of it. What a client doubts, the leader may know of as told by others; else it
// asks all sessions.
[[nodiscard]] msg::InterestDeclare::Item declaration_of(const DatumCopy& copy);

enum class Folded : std::uint8_t {
    changed,  // the copy has a new version
    nothing,  // already known
    gap,      // does not follow on the copy: ask the leader again
    differs,  // the copy has a new version, but is not what the leader has: ask for all of it
};

// All copies of a session, by service. An unsettled snapshot adds, and takes away what has
// departed: what is merely missing in it may well live (I3). Loop thread only. Bounds: one copy per
// subscribed service, kept a while after the last wish; steps_max steps each.
class DatumCopies {
public:
    // `own_number` tells versions of our own from those of other sessions, which may give some
    // above the same one at the same time.
    explicit DatumCopies(std::size_t steps_max, std::uint64_t own_number = 0)
        : steps_max_(steps_max), own_number_(own_number) {}

    // The copy of `service`, made when missing; nobody wants it then.
    DatumCopy& find_or_make(const ServicePtr& service);
    [[nodiscard]] DatumCopy* find(const Service& service);
    [[nodiscard]] const DatumCopy* find(const Service& service) const;

    Folded fold(const DatumChange& change);
    Folded fold(const DatumSnapshot& snapshot);

    // What was told and cannot be folded, as something before it is missing: nothing is shown of
    // it, but what it says went is remembered as such.
    void note_departed(const std::variant<DatumChange, DatumSnapshot>& told);

    // Nobody can be reached who holds the datum: what our own client said (`publication` null: it
    // went) is shown at a version of our own, the next one above all that was seen that ends in our
    // number. Returns whether that changed anything; what nothing was ever told of stays unknown.
    bool fold_own(DatumCopy& copy, const RegistId& id, const PublicationPtr& publication,
                  RegistOrder order);

    // What a subscriber of this scope and zone is shown now. Shared until the next version.
    [[nodiscard]] static ServiceViewPtr view(DatumCopy& copy, Scope scope, const std::string& zone);

    // Whether `held` led to the copy, or may yet. What is older than all that is remembered is
    // believed. Of a version of our own it is not known what its holder was shown at it: some are
    // strays.
    [[nodiscard]] static bool knows(const DatumCopy& copy, Version held);

    // A client says that it holds `held`. Returns whether it knows() that.
    static bool note_held(DatumCopy& copy, Version held);

    // How many steps led from `held` to now; none: they do not reach back.
    [[nodiscard]] static std::optional<std::uint32_t> steps_since(const DatumCopy& copy,
                                                                  Version held);

    // From which version on the copy has shown none of these registrations, as far as can be told;
    // none: it shows one of them, or nothing is known yet.
    [[nodiscard]] static std::optional<Version> without_since(const DatumCopy& copy,
                                                              const std::vector<RegistId>& ids);

    // What is shown to whom no version of our own may be shown: such a client does not say what it
    // holds when it comes to another session, which would show it something lower (I2).
    [[nodiscard]] static ServiceViewPtr told_view(const DatumCopy& copy, Scope scope,
                                                  const std::string& zone);

    // What is shown to a stray, who was told elsewhere of what may not be known here: it keeps
    // that, and learns what the leader says is there; while versions are our own, what our own
    // clients say. What is merely still here may have left before its eyes. Not complete.
    [[nodiscard]] static ServiceViewPtr stray_view(const DatumCopy& copy, Scope scope,
                                                   const std::string& zone);

    // The same as delta(), folded once for all who are told it.
    [[nodiscard]] static ViewDeltaPtr shared_delta(DatumCopy& copy, const ServiceViewPtr& view,
                                                   Version held);

    // The difference from `held` to now for that view; null when the steps do not reach back, or
    // the whole view is shorter.
    [[nodiscard]] static ViewDeltaPtr delta(const DatumCopy& copy, const ServiceView& view,
                                            Version held);

    void want(DatumCopy& copy);
    void unwant(DatumCopy& copy, MonoTime now);
    // Forgets copies unwanted for `age`; returns their services. Costs nothing for those wanted.
    std::vector<ServicePtr> forget_unwanted(MonoTime now, Duration age);

    [[nodiscard]] std::map<std::string, DatumCopy>& all() {
        return copies_;
    }
    [[nodiscard]] std::size_t size() const {
        return copies_.size();
    }

private:
    void advance(DatumCopy& copy, Version to, std::vector<RegistId> touched);
    [[nodiscard]] Version next_own(Version above) const;

    std::size_t steps_max_;
    std::uint64_t own_number_;
    std::map<std::string, DatumCopy> copies_;  // by data_info_id
    std::set<std::string> unwanted_;           // those of them that nobody wants
};

}  // namespace muster::session
