#include "roles/session/return_roster.h"

#include "base/check.h"
#include "base/hash.h"

namespace muster::session {
namespace {

constexpr std::string_view kFile = "return.mroster";
constexpr std::size_t kCompactAboveTimes = 4;

RosterName name_of(const RegistId& id) {
    return hash64(id.raw());
}

}  // namespace

Result<RosterNames> ReturnRoster::load() const {
    const auto bytes = env_.disk->read(kFile);
    if (!bytes) {
        return std::unexpected(bytes.error());
    }
    auto scan = decode_roster(*bytes);
    if (!scan) {
        return std::unexpected(std::move(scan).error());
    }
    if (scan->header.boot != header_.boot) {
        return fail(Errc::refused, "the machine was started anew");
    }
    const std::uint64_t before = options_.life_before == Incarnation{}
                                     ? options_.incarnation.raw() - 1
                                     : options_.life_before.raw();
    if (scan->header.incarnation != before) {
        return fail(Errc::refused, "not of the life before");
    }
    if (!scan->sealed) {
        return fail(Errc::refused, "not sealed");
    }
    return std::move(scan->names);
}

void ReturnRoster::begin() {
    if (env_.disk == nullptr || options_.boot.empty()) {
        return;
    }
    header_ = {.boot = hash64(options_.boot), .incarnation = options_.incarnation.raw()};
    auto names = load();
    if (names) {
        exact_ = true;
        trusted_ = true;
        awaited_ = std::move(*names);
        named_ = awaited_;
        env_.log.info("session.roster.exact", {{"awaited", awaited_.size()}});
    } else {
        env_.log.info("session.roster.inexact", {{"reason", to_string(names.error())}});
    }
    maybe_sealed_ = true;
    replace();
}

void ReturnRoster::came(const RegistId& id) {
    if (phase_ == Phase::off) {
        return;
    }
    const RosterName name = name_of(id);
    awaited_.erase(name);
    if (named_.insert(name).second && left_.erase(name) == 0) {
        came_.insert(name);
    }
}

void ReturnRoster::left(const RegistId& id) {
    if (phase_ == Phase::off) {
        return;
    }
    const RosterName name = name_of(id);
    awaited_.erase(name);
    if (named_.erase(name) > 0 && came_.erase(name) == 0) {
        left_.insert(name);
    }
}

bool ReturnRoster::awaits(const RegistId& id) const {
    return awaited_.contains(name_of(id));
}

void ReturnRoster::stop() {
    phase_ = Phase::off;
    env_.timers.cancel(env_.timer);
}

void ReturnRoster::cold_ended() {
    if (phase_ == Phase::off) {
        return;
    }
    for (const RosterName name : awaited_) {
        named_.erase(name);
        left_.insert(name);
    }
    awaited_.clear();
    trusted_ = true;
    seal_later();
}

void ReturnRoster::flush(MonoTime now) {
    if (phase_ == Phase::idle && !quiet()) {
        const std::size_t whole =
            kRosterHeaderBytes + kRosterRecordBytes + (named_.size() * sizeof(RosterName));
        const bool grown =
            file_bytes_ > options_.compact_above_bytes && file_bytes_ > kCompactAboveTimes * whole;
        grown ? replace() : append();
    }
    if (holding() != held_) {
        held_ = !held_;
        held_since_ = now;
    }
}

env::DiskOpId ReturnRoster::next_op(Phase phase) {
    phase_ = phase;
    return env::DiskOpId(++last_op_);
}

// With the room that many at once took, which every later clear() would go through.
void ReturnRoster::forget_changes() {
    came_ = {};
    left_ = {};
}

void ReturnRoster::append() {
    std::string bytes;
    append_roster_changes(bytes, header_, came_, left_);
    file_bytes_ += bytes.size();
    new_in_flight_ = !came_.empty();
    forget_changes();
    env_.disk->append(next_op(Phase::appending), kFile, std::move(bytes));
}

void ReturnRoster::replace() {
    std::string bytes = encode_roster_header(header_);
    append_roster_changes(bytes, header_, named_, {});
    file_bytes_ = bytes.size();
    new_in_flight_ = new_in_flight_ || !came_.empty();
    forget_changes();
    env_.disk->replace(next_op(Phase::replacing), kFile, std::move(bytes));
}

// What cannot be trusted to name everybody must not be found.
void ReturnRoster::remove() {
    env_.disk->remove(next_op(Phase::removing), kFile);
}

void ReturnRoster::seal_later() {
    if (quiet() && trusted_ && !maybe_sealed_) {
        env_.timers.arm(env_.timer, options_.seal_delay);
    }
}

void ReturnRoster::on_timer() {
    if (phase_ == Phase::broken) {
        replace();
        return;
    }
    if (!quiet() || !trusted_ || maybe_sealed_) {
        return;  // the report of what is under way arms it again
    }
    std::string bytes;
    append_roster_seal(bytes, header_, named_.size());
    file_bytes_ += bytes.size();
    maybe_sealed_ = true;
    env_.disk->append(next_op(Phase::sealing), kFile, std::move(bytes));
}

void ReturnRoster::on_disk(env::DiskOpId op, const Result<void>& outcome) {
    if (phase_ == Phase::off) {
        return;  // stopped meanwhile
    }
    CHECK(op.raw() == last_op_);
    const Phase done = phase_;
    if (!outcome) {
        failures_.add();
        env_.log.warning("session.roster.failed", {{"reason", to_string(outcome.error())}});
    }
    if (done == Phase::removing || (done == Phase::replacing && !outcome && !maybe_sealed_)) {
        // Either nothing is there to be taken for exact, or the disk cannot be told otherwise.
        phase_ = Phase::broken;
        maybe_sealed_ = false;
        new_in_flight_ = false;
        env_.timers.arm(env_.timer, options_.retry_interval);
        return;
    }
    if (!outcome) {
        remove();
        return;
    }
    phase_ = Phase::idle;
    if (done != Phase::sealing) {
        maybe_sealed_ = false;
        new_in_flight_ = false;
    }
    seal_later();
}

}  // namespace muster::session
