#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>

#include "base/hash.h"
#include "base/log.h"
#include "base/metrics.h"
#include "base/time.h"
#include "model/publication.h"

namespace muster::session {

struct FlapDampingOptions {
    // An instance that came back more often than that is flapping; zero: none ever is. At most
    // 1000.
    std::size_t flips = 10;
    // Within so long as many are forgotten, one after the other.
    Duration window = std::chrono::seconds(60);
    // What flaps is not shown before it was there for so long; below Registrations::kGraveAge.
    Duration hold = std::chrono::seconds(30);
    // At most this share of a session's publications is damped at a time, but always one: when more
    // flap, it is the way to the session that breaks.
    std::size_t percent = 10;
};

// An instance as subscribers know it: "ip:port" of the first box that has one, else the
// registration id.
[[nodiscard]] std::string instance_of(const Publication& publication);

// Which instances come and go too often (docs/adr/0012). That they go is told at once, always;
// whether one that comes is shown at once is decided here.
//
// What is counted is an instance of a service, not a registration id: that of a process which
// crashes and is started again is another one each time. As of route flap damping (RFC 2439) each
// coming back adds a penalty that decays, and one limit says who is suppressed; as in the generic
// cell rate algorithm (ITU-T I.371, annex A) it decays evenly, so that of each instance the time is
// kept at which all is forgotten. How long one is suppressed is not the penalty's matter, but the
// hold's: it has a bound that can be stated.
//
//   went() ... damps() -> no: shown
//                      -> yes: held back by who asked, until it was there for the hold
//
// Only what went from here and came back here counts: to move to another session, or to lose one
// that ended, is none of the instance's doing.
//
// Loop thread only. Bounds: an entry for each instance that went lately, kTrackedMax; one more is
// not counted.
class FlapDamping {
public:
    static constexpr std::size_t kTrackedMax = 100'000;

    // Requires: flips <= 1000, percent <= 100; window >= 1 us unless flips is zero.
    explicit FlapDamping(const FlapDampingOptions& options, Log log = {});

    // A publication went, by its client's doing.
    void went(const Publication& publication, MonoTime now);

    // Of how many publications that are held how many are damped.
    struct Held {
        std::size_t damped = 0;
        std::size_t all = 0;
    };
    // One came that was not there: whether it is damped. Counts it when its instance had gone.
    [[nodiscard]] bool damps(const Publication& publication, const Held& held, MonoTime now);

    // One that was damped is shown.
    void shown(const Publication& publication);

    // How often its instance came back, as far as that is not forgotten.
    [[nodiscard]] std::uint64_t flips_of(const Publication& publication) const;

    // Forgets who went long ago.
    void sweep(MonoTime now);

    [[nodiscard]] Duration hold() const {
        return options_.hold;
    }
    [[nodiscard]] std::size_t tracked() const {
        return instances_.size();
    }

    struct Probe {
        Counter flips;      // instances that came back
        Counter damped;     // of these, held back
        Counter shown;      // of those, shown since
        Counter too_many;   // flapping, but not held back
        Counter untracked;  // not counted
    };
    [[nodiscard]] const Probe& probe() const {
        return probe_;
    }

private:
    using Key = SetDigest;  // of the service and the instance

    struct Instance {
        MonoTime forgiven_at;  // when all is forgotten
        MonoTime went_at;
        std::uint64_t flips = 0;
        bool gone = false;
        bool flapping = false;  // it was said so
    };

    [[nodiscard]] static Key key_of(const Publication& publication);
    // Says so when it begins to, or stops.
    void note(Instance& instance, const Publication& publication, bool flapping);

    FlapDampingOptions options_;
    Log log_;
    Duration interval_{};  // in which one is forgotten; zero: nothing is counted
    std::map<Key, Instance> instances_;
    MonoTime swept_at_;
    std::optional<MonoTime> too_many_at_;  // when it was last said so
    Probe probe_;
};

}  // namespace muster::session
