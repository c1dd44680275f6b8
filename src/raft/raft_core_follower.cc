#include <algorithm>
#include <utility>

#include "base/check.h"
#include "base/hash.h"
#include "raft/membership.h"
#include "raft/raft_core.h"

namespace muster::raft {

// Whether the message is from the leader of this term, which is then followed.
bool RaftCore::follow(const Message& message) {
    if (message.term < hard_.term) {
        // Tells a leader of the past that it is one, also when it is alone with its term.
        send(message.from, AppendReply{.life = hard_.life, .doubt = hard_.doubt});
        return false;
    }
    const bool other =
        message.term == hard_.term &&
        (role_ == Role::leader || (!leader_.raw().empty() && leader_ != message.from));
    if (other) {
        dropped_.add();  // two leaders of one term: not of this protocol
        return false;
    }
    failed_elections_ = 0;
    if (message.term > hard_.term || role_ != Role::follower || leader_ != message.from) {
        step_down(message.term, message.from);
    } else {
        listen();
    }
    return true;
}

void RaftCore::acknowledge() {
    owes_reply_ = durable_ < verified_;
    send(leader_, AppendReply{.accepted = true,
                              .match = std::min(durable_, verified_),
                              .refused_prev = LogIndex(),
                              .hint_term = Term(),
                              .round = heard_round_,
                              .life = hard_.life,
                              .doubt = hard_.doubt});
}

void RaftCore::on_append(const Message& message, const AppendRequest& request) {
    if (!follow(message)) {
        return;
    }
    heard_round_ = std::max(heard_round_, request.round);
    if (hard_.doubt && request.life == hard_.life && !doubt_until_) {
        doubt_until_ = request.last;
    }
    // What lies before the base is agreed, and every leader has it.
    const bool known =
        request.prev_index <= log_.base() || log_.term_at(request.prev_index) == request.prev_term;
    if (!known) {
        const LogIndex hint = log_.last_with_term_at_most(request.prev_index, request.prev_term);
        send(leader_, AppendReply{.accepted = false,
                                  .match = hint,
                                  .refused_prev = request.prev_index,
                                  .hint_term = log_.term_at(hint).value_or(Term()),
                                  .round = heard_round_,
                                  .life = hard_.life,
                                  .doubt = hard_.doubt});
        return;
    }
    take_entries(request);
    set_commit(std::min(request.commit, verified_));
    resolve_doubt();
    if (request.entries.empty() || verified_ <= durable_) {
        acknowledge();
    } else {
        owes_reply_ = true;
    }
}

void RaftCore::take_entries(const AppendRequest& request) {
    LogIndex same = request.prev_index;
    for (const Entry& entry : request.entries) {
        const bool held = entry.index <= log_.base() || log_.term_at(entry.index) == entry.term;
        if (!held) {
            if (unwritten_bytes_ > options_.unwritten_bytes_max) {
                dropped_.add();
                break;
            }
            if (entry.index <= log_.last()) {
                CHECK_BECAUSE(entry.index > commit_, "what is agreed stays");
                log_.truncate(entry.index);
                const LogIndex last = log_.last();
                durable_ = std::min(durable_, last);
                handed_ = std::min(handed_, last);
                for (Pending& pending : pending_) {
                    pending.last = std::min(pending.last, last);
                }
            }
            log_.append(entry);
        }
        same = entry.index;
    }
    verified_ = std::max(verified_, std::min(same, log_.last()));
}

void RaftCore::resolve_doubt() {
    const bool supplied = doubt_until_ && verified_ >= *doubt_until_ && durable_ >= *doubt_until_ &&
                          !leader_.raw().empty();
    const bool mended = mend_until_ && durable_ >= std::min(*mend_until_, log_.last());
    if (!hard_.doubt || !(supplied || mended)) {
        return;
    }
    hard_.doubt = false;
    // A vote that was lost may have been of this term.
    if (!mended && hard_.vote.raw().empty()) {
        hard_.vote = leader_;
    }
    doubt_until_.reset();
    mend_until_.reset();
    mending_ = false;
    write_hard();
}

// ---- snapshots (thesis 5.3)

void RaftCore::on_chunk(const Message& message, const SnapshotChunk& chunk) {
    if (!follow(message)) {
        return;
    }
    heard_round_ = std::max(heard_round_, chunk.round);
    if (chunk.index <= commit_ || log_.term_at(chunk.index) == chunk.index_term) {
        verified_ = std::max(verified_, chunk.index);
        set_commit(chunk.index);
        incoming_.reset();
        acknowledge();
        return;
    }
    if (chunk.total > options_.snapshot_bytes_max || chunk.total == 0) {
        dropped_.add();
        return;
    }
    const bool same = incoming_ && incoming_->index == chunk.index &&
                      incoming_->index_term == chunk.index_term &&
                      incoming_->term == message.term && incoming_->total == chunk.total &&
                      incoming_->crc == chunk.crc;
    if (!same) {
        if (incoming_ && incoming_->term == message.term && incoming_->index > chunk.index) {
            return;  // overtaken by a newer one
        }
        incoming_ = Incoming{.index = chunk.index,
                             .index_term = chunk.index_term,
                             .term = message.term,
                             .total = chunk.total,
                             .crc = chunk.crc,
                             .bytes = {},
                             .offered = false};
    }
    std::string& bytes = incoming_->bytes;
    if (chunk.offset == bytes.size() && chunk.bytes.size() <= chunk.total - bytes.size()) {
        bytes += chunk.bytes;
    }
    if (bytes.size() == chunk.total && crc32c(bytes) != chunk.crc) {
        bytes.clear();
        dropped_.add();
    }
    send(leader_, SnapshotReply{.index = chunk.index,
                                .offset = bytes.size(),
                                .round = heard_round_,
                                .life = hard_.life});
    if (bytes.size() == chunk.total && !incoming_->offered) {
        incoming_->offered = true;
        effects_.offer = SnapshotImage{.index = chunk.index,
                                       .term = chunk.index_term,
                                       .payload = std::make_shared<const std::string>(bytes)};
    }
}

void RaftCore::refuse_snapshot() {
    incoming_.reset();
}

void RaftCore::accept_snapshot(Membership membership) {
    CHECK(incoming_ && incoming_->offered);
    snapshots_installed_.add();
    SnapshotImage image{.index = incoming_->index,
                        .term = incoming_->index_term,
                        .payload = std::make_shared<const std::string>(std::move(incoming_->bytes)),
                        .crc = incoming_->crc};
    incoming_.reset();
    // Of the old log that remains what was agreed: the snapshot contains it.
    durable_ = std::min(durable_, commit_);
    for (Pending& pending : pending_) {
        pending.last = std::min(pending.last, commit_);
    }
    log_.reset(image.index, image.term, std::move(membership));
    snapshot_ = image;
    commit_ = applied_ = handed_ = image.index;
    verified_ = std::max(verified_, image.index);
    pending_.push_back({.number = ++last_write_, .last = image.index});
    effects_.writes.push_back({.number = last_write_,
                               .hard = std::nullopt,
                               .entries = {},
                               .snapshot = std::move(image),
                               .voids_log = true});
    owes_reply_ = true;
}

}  // namespace muster::raft
