#include "roles/data/tell_stream.h"

#include <utility>

#include "model/publication.h"

namespace muster::data {
namespace {

constexpr std::size_t kAsksPerWindow = 4;

std::size_t bulk_of_told(const TellStream::Told& told) {
    const auto sum = [](const auto& publications, const auto& removals) {
        std::size_t bulk = 1 + removals.size();
        for (const PublicationPtr& publication : publications) {
            bulk += bulk_of(*publication);
        }
        return bulk;
    };
    const auto* change = std::get_if<DatumChange>(&told);
    if (change != nullptr) {
        return sum(change->upserts, change->removals);
    }
    const auto& list = std::get<DatumSnapshot>(told);
    return sum(list.publications, list.departed);
}

}  // namespace

void TellStream::begin(std::uint64_t number) {
    *this = TellStream(limits_);
    number_ = number;
}

bool TellStream::push(Told told, MonoTime now) {
    if (ended_) {
        return true;
    }
    if (waiting_.empty()) {
        moved_ = now;
    }
    const bool stuck = now - moved_ >= limits_.patience;
    const std::size_t bulk = bulk_of_told(told);
    if (stuck || (!waiting_.empty() && waiting_bulk_ + bulk > limits_.waiting)) {
        ended_ = true;
        if (stuck) {
            waiting_.clear();
        }
        return false;
    }
    waiting_bulk_ += bulk;
    waiting_.push_back({.told = std::move(told), .bulk = bulk});
    return true;
}

std::optional<msg::ChangeBatch> TellStream::next() {
    if (waiting_.empty() || sent_bulk_ >= limits_.window) {
        return std::nullopt;
    }
    msg::ChangeBatch batch{.session = {}, .stream = number_, .seq = ++last_seq_, .changes = {}};
    std::size_t filled = 0;
    while (!waiting_.empty()) {
        Waiting& first = waiting_.front();
        const bool fits = cut_ == 0 && filled + first.bulk <= limits_.batch;
        if (!fits && filled > 0) {
            break;
        }
        if (auto* list = std::get_if<DatumSnapshot>(&first.told); !fits && list != nullptr) {
            filled = add_piece(batch, *list);
            break;
        }
        filled += first.bulk;
        batch.changes.push_back(std::move(first.told));
        waiting_.pop_front();
    }
    waiting_bulk_ -= filled;
    sent_bulk_ += filled;
    unasked_bulk_ += filled;
    if (unasked_bulk_ >= limits_.window / kAsksPerWindow) {
        batch.ack_due = true;
        asked_.emplace_back(batch.seq, std::exchange(unasked_bulk_, 0));
    }
    return batch;
}

// Returns the bulk of it. Requires: `list` is the first that waits, and is not sent whole.
std::size_t TellStream::add_piece(msg::ChangeBatch& batch, DatumSnapshot& list) {
    DatumSnapshot piece{.service = list.service,
                        .version = list.version,
                        .settled = list.settled,
                        .publications = {},
                        .departed = {}};
    std::size_t bulk = 0;
    const std::size_t listed = list.publications.size();
    const std::size_t all = listed + list.departed.size();
    for (; cut_ < all && bulk < limits_.batch; ++cut_) {
        if (cut_ < listed) {
            bulk += bulk_of(*list.publications[cut_]);
            piece.publications.push_back(std::move(list.publications[cut_]));
        } else {
            ++bulk;
            piece.departed.push_back(list.departed[cut_ - listed]);
        }
    }
    batch.goes_on = cut_ < all;
    batch.changes.emplace_back(std::move(piece));
    if (batch.goes_on) {
        return bulk;
    }
    waiting_.pop_front();
    cut_ = 0;
    return bulk + 1;
}

bool TellStream::taken(std::uint64_t number, std::uint64_t seq, MonoTime now) {
    if (number != number_ || asked_.empty() || seq < asked_.front().first) {
        return false;
    }
    for (; !asked_.empty() && asked_.front().first <= seq; asked_.pop_front()) {
        sent_bulk_ -= asked_.front().second;
    }
    moved_ = now;
    return true;
}

}  // namespace muster::data
