#include "raft/raft_core.h"

#include <algorithm>
#include <utility>

#include "base/check.h"
#include "base/hash.h"
#include "raft/membership.h"

namespace muster::raft {
namespace {

// Messages that wait for the vote to be durable; more are dropped, as a network may.
constexpr std::size_t kHeldMax = 256;

}  // namespace

RaftCore::RaftCore(CoreOptions options, Prng prng, Start start)
    : options_(std::move(options)),
      prng_(prng),
      hard_(std::move(start.hard)),
      snapshot_(std::move(start.snapshot)) {
    if (snapshot_.payload) {
        snapshot_.crc = crc32c(*snapshot_.payload);
    }
    log_.reset(snapshot_.index, snapshot_.term, std::move(start.membership));
    for (Entry& entry : start.entries) {
        log_.append(std::move(entry));
    }
    commit_ = applied_ = verified_ = snapshot_.index;
    durable_ = handed_ = log_.last();
}

void RaftCore::begin() {
    listen();
    if (standing() == Standing::blank) {
        ask_past();
    }
}

ConsensusRole RaftCore::role() const {
    switch (role_) {
        case Role::follower: break;
        case Role::pre_candidate:
        case Role::candidate: return ConsensusRole::candidate;
        case Role::leader: return ConsensusRole::leader;
    }
    return hard_.doubt || broken_ ? ConsensusRole::recovering : ConsensusRole::follower;
}

Standing RaftCore::standing() const {
    if (!hard_.doubt) {
        return Standing::whole;
    }
    // Who is to be added to a group has promised nothing and asks nobody.
    const bool blank = hard_.term == Term() && is_voter(log_.membership(), options_.node);
    return blank ? Standing::blank : Standing::doubtful;
}

void RaftCore::arm(CoreTimer timer, Duration delay) {
    effects_.timers.push_back({timer, delay});
}

void RaftCore::receive(const Message& message) {
    if (message.to != options_.node || message.from == options_.node ||
        message.from.raw().empty()) {
        dropped_.add();
        return;
    }
    const auto handle = [&](const auto& body) {
        using Body = std::decay_t<decltype(body)>;
        if constexpr (std::is_same_v<Body, PastRequest>) {
            on_past_request(message, body);
        } else if constexpr (std::is_same_v<Body, PastReply>) {
            on_past_reply(message, body);
        } else if (standing() == Standing::blank) {
            dropped_.add();  // any answer might break a promise
        } else if constexpr (std::is_same_v<Body, VoteRequest>) {
            on_vote_request(message, body);
        } else if constexpr (std::is_same_v<Body, VoteReply>) {
            on_vote_reply(message, body);
        } else if constexpr (std::is_same_v<Body, AppendRequest>) {
            on_append(message, body);
        } else if constexpr (std::is_same_v<Body, AppendReply>) {
            on_append_reply(message, body);
        } else if constexpr (std::is_same_v<Body, SnapshotChunk>) {
            on_chunk(message, body);
        } else if constexpr (std::is_same_v<Body, SnapshotReply>) {
            on_snapshot_reply(message, body);
        } else {
            on_timeout_now(message);
        }
    };
    std::visit(handle, message.body);
}

void RaftCore::on_timer(CoreTimer timer) {
    switch (timer) {
        case CoreTimer::election: on_election_timer(); break;
        case CoreTimer::heartbeat:
            if (role_ == Role::leader) {
                heartbeat();
            } else if (standing() == Standing::blank) {
                ask_past();
            }
            break;
        case CoreTimer::transfer: end_transfer(false); break;
    }
}

// ---- what goes out

bool RaftCore::hard_pending() const {
    return std::any_of(pending_.begin(), pending_.end(),
                       [](const Pending& pending) { return pending.hard; });
}

void RaftCore::write_hard() {
    // What was to be sent rests on a term that is over.
    held_.clear();
    pending_.push_back({.number = ++last_write_, .hard = true});
    effects_.writes.push_back({.number = last_write_,
                               .hard = hard_,
                               .entries = {},
                               .snapshot = std::nullopt,
                               .voids_log = false});
}

void RaftCore::send(const NodeId& to, Term term, MessageBody body) {
    Message message{.from = options_.node, .to = to, .term = term, .body = std::move(body)};
    if (!hard_pending()) {
        effects_.messages.push_back(std::move(message));
    } else if (held_.size() < kHeldMax) {
        held_.push_back(std::move(message));
    } else {
        dropped_.add();
    }
}

void RaftCore::write_entries() {
    if (handed_ >= log_.last()) {
        return;
    }
    Write write{.number = ++last_write_,
                .hard = std::nullopt,
                .entries = {},
                .snapshot = std::nullopt,
                .voids_log = false};
    std::size_t bytes = 0;
    while (handed_ < log_.last()) {
        handed_ = next(handed_);
        write.entries.push_back(log_.at(handed_));
        bytes += cost_of(write.entries.back());
    }
    unwritten_bytes_ += bytes;
    pending_.push_back({.number = last_write_, .last = handed_, .bytes = bytes});
    effects_.writes.push_back(std::move(write));
}

Effects RaftCore::take_effects() {
    write_entries();
    if (role_ == Role::leader) {
        for (auto& [node, follower] : followers_) {
            send_entries(node, follower);
        }
    }
    return std::exchange(effects_, {});
}

// ---- what the disk says

void RaftCore::on_written(std::uint64_t number) {
    CHECK_BECAUSE(!pending_.empty() && pending_.front().number == number,
                  "writes are reported in their order");
    Pending done = std::move(pending_.front());
    pending_.pop_front();
    unwritten_bytes_ -= done.bytes;
    if (done.hard && !hard_pending()) {
        for (Message& message : std::exchange(held_, {})) {
            effects_.messages.push_back(std::move(message));
        }
        if (role_ == Role::candidate) {
            votes_.insert(options_.node);
            count_votes();
        }
    }
    if (done.snapshot && done.snapshot->index > snapshot_.index) {
        const LogIndex before = snapshot_.index;
        snapshot_ = std::move(*done.snapshot);
        log_.compact(std::max(log_.base(), before));
        if (log_.bytes() > options_.trailing_bytes) {
            log_.compact(snapshot_.index);
        }
    }
    if (done.last > durable_) {
        durable_ = done.last;
        if (role_ == Role::leader) {
            advance_commit();
        } else if (owes_reply_ && !leader_.raw().empty()) {
            acknowledge();
        }
    }
    resolve_doubt();
    apply();
}

void RaftCore::on_snapshot_failed(std::uint64_t number) {
    CHECK(!pending_.empty() && pending_.front().number == number && pending_.front().snapshot);
    pending_.pop_front();
}

void RaftCore::on_disk_broken() {
    broken_ = true;
    if (role_ != Role::follower) {
        step_down(hard_.term, NodeId());
    }
}

void RaftCore::on_disk_healed() {
    broken_ = false;
}

// ---- what is agreed

void RaftCore::set_commit(LogIndex commit) {
    if (commit > commit_) {
        CHECK(commit <= log_.last());
        commit_ = commit;
        apply();
    }
}

void RaftCore::apply() {
    const LogIndex until = std::min(commit_, durable_);
    while (applied_ < until) {
        applied_ = next(applied_);
        effects_.committed.push_back(log_.at(applied_));
        if (role_ == Role::leader && applied_ >= reign_begin_) {
            uncommitted_bytes_ -= cost_of(log_.at(applied_));
        }
    }
    if (role_ != Role::leader) {
        return;
    }
    if (!reign_announced_ && applied_ >= reign_begin_) {
        reign_announced_ = true;
        failed_elections_ = 0;
        effects_.reigns.push_back({.leads = true, .term = hard_.term});
    }
    answer_reads();
    if (log_.membership_index() <= commit_ && !is_voter(log_.membership(), options_.node)) {
        step_down(hard_.term, NodeId());  // thesis 4.2.2
    }
}

void RaftCore::take_snapshot(SnapshotImage image, std::string file) {
    CHECK(image.index <= applied_ && image.index >= snapshot_.index);
    write_entries();
    pending_.push_back({.number = ++last_write_, .snapshot = image});
    effects_.writes.push_back({.number = last_write_,
                               .hard = std::nullopt,
                               .entries = {},
                               .snapshot = std::move(image),
                               .voids_log = false,
                               .snapshot_file = std::move(file)});
}

void RaftCore::write_metrics(MetricsWriter& writer) const {
    writer.counter("muster_raft_elections_total", "Elections begun", elections_.value());
    writer.counter("muster_raft_reigns_total", "Elections won", reigns_.value());
    writer.counter("muster_raft_dropped_messages_total", "Messages not heard or not sent",
                   dropped_.value());
    writer.counter("muster_raft_snapshots_sent_total", "Snapshots begun to be sent",
                   snapshots_sent_.value());
    writer.counter("muster_raft_snapshots_installed_total", "Snapshots taken from a leader",
                   snapshots_installed_.value());
}

}  // namespace muster::raft
