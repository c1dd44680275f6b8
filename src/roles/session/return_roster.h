#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>

#include "base/log.h"
#include "base/metrics.h"
#include "base/time.h"
#include "env/disk.h"
#include "env/timers.h"
#include "model/ids.h"
#include "roles/session/roster_codec.h"

namespace muster::session {

struct ReturnRosterOptions {
    std::string boot;  // names the machine's present run; empty: no roster
    Incarnation incarnation;
    Incarnation life_before;  // zero: its number is the one before `incarnation`
    Duration seal_delay = std::chrono::milliseconds(50);
    Duration retry_interval = std::chrono::seconds(1);
    Duration hold_max = std::chrono::seconds(5);
    std::size_t compact_above_bytes = 64 << 10;  // and several times what is named
};

struct ReturnRosterEnv {
    env::Disk* disk = nullptr;  // the roster's own; null: no roster
    env::Timers& timers;
    env::TimerKey timer;  // its one timer
    Log log;
};

// Who was registered here, on disk: after kill -9 the next life of the session knows whom it has to
// wait for, and that it has to wait for nobody else.
//
//   came(), left() -> changes -> flush() -> one append in flight -> durable ... quiet -> seal
//
// A file that ends in a seal is exact: it names everybody whom others may have been told of. It
// stays so while a change is on its way to disk; therefore who is new is held back from others
// until the change, or any other behind the seal, is on disk (holds()). After a kill what was
// written is there, synced or not; after a loss of power it may not be, so a roster of another boot
// is not exact. Nor is one whose writer was not the life right before this one.
//
//   off (also after stop())
//   idle <-> appending | sealing | replacing       any write fails: removing -> broken
//                                                          broken -- retry interval --> replacing
//
// When the disk neither takes a write nor a removal, or not within hold_max, nobody is held back
// any longer: that the registry goes on comes first.
//
// Owned by the session. Loop thread only. Invariants: 1. while awaited() is not zero the file names
// those awaited; 2. no seal is written while who was there before is unknown (cold_ended() tells
// when it no longer matters); 3. one write at a time. Bounds: the registrations of the session and
// those awaited; the file, several times that.
class ReturnRoster {
public:
    ReturnRoster(ReturnRosterOptions options, ReturnRosterEnv env)
        : options_(std::move(options)), env_(std::move(env)) {}

    // Reads what the life before left and begins this life's file, which names the same.
    void begin();

    // The file stays as it is: nothing is written any more.
    void stop();

    // A registration is held from now on, or no longer. Either ends the waiting for it.
    void came(const RegistId& id);
    void left(const RegistId& id);

    // Nobody is waited for any longer.
    void cold_ended();

    // At the end of each turn: writes what changed.
    void flush(MonoTime now);

    void on_timer();
    void on_disk(env::DiskOpId op, const Result<void>& outcome);

    // After a pause of our own.
    void extend(Duration gap) {
        held_since_ += gap;
    }

    // Others must not be told yet of who came.
    [[nodiscard]] bool holds(MonoTime now) const {
        return holding() && (!held_ || now - held_since_ < options_.hold_max);
    }
    // Whom the life before had is known.
    [[nodiscard]] bool exact() const {
        return exact_;
    }
    // The same, and all of them are back.
    [[nodiscard]] bool everybody_back() const {
        return exact_ && awaited_.empty();
    }
    [[nodiscard]] bool awaits(const RegistId& id) const;
    [[nodiscard]] std::size_t awaited() const {
        return awaited_.size();
    }
    [[nodiscard]] const Counter& failures() const {
        return failures_;
    }

private:
    enum class Phase : std::uint8_t {
        off,
        idle,
        appending,
        sealing,
        replacing,
        removing,
        broken,
    };

    [[nodiscard]] Result<RosterNames> load() const;
    [[nodiscard]] bool holding() const {
        return maybe_sealed_ && (new_in_flight_ || !came_.empty());
    }
    [[nodiscard]] bool quiet() const {
        return phase_ == Phase::idle && came_.empty() && left_.empty();
    }
    [[nodiscard]] env::DiskOpId next_op(Phase phase);
    void forget_changes();
    void append();
    void replace();
    void remove();
    void seal_later();

    ReturnRosterOptions options_;
    ReturnRosterEnv env_;
    RosterHeader header_;

    Phase phase_ = Phase::off;
    bool exact_ = false;         // the life before left an exact roster
    bool trusted_ = false;       // named_ is everybody, so that it may be sealed
    bool maybe_sealed_ = false;  // the file may end in a seal
    bool new_in_flight_ = false;
    RosterNames awaited_;
    RosterNames named_;  // held or awaited
    RosterNames came_;   // in named_, not in the file nor on the way there
    RosterNames left_;   // the other way round
    MonoTime held_since_;
    bool held_ = false;
    std::size_t file_bytes_ = 0;
    std::uint64_t last_op_ = 0;
    Counter failures_;
};

}  // namespace muster::session
