#include "roles/session/interest_links.h"

#include <algorithm>
#include <iterator>
#include <utility>

namespace muster::session {
namespace {

const ServicePtr& service_of(const InterestLinks::Told& told) {
    return std::visit([](const auto& known) -> const ServicePtr& { return known.service; }, told);
}

}  // namespace

InterestLinks::Link& InterestLinks::link(const NodeId& leader) {
    auto [found, inserted] = links_.try_emplace(leader);
    if (inserted) {
        found->second.stream = 1;
    }
    return found->second;
}

void InterestLinks::declare(const NodeId& leader, Item item, bool acting) {
    Link& known = link(leader);
    owing_.insert(leader);
    (acting ? known.fresh_acting : known.fresh).push_back(std::move(item));
}

std::vector<InterestLinks::Told> InterestLinks::forget_if(
    const std::function<bool(const Service&)>& moved) {
    const auto gone = [&](const Item& item) { return moved(*item.service); };
    std::vector<Told> waiting;
    for (auto& [leader, known] : links_) {
        std::erase_if(known.fresh, gone);
        std::erase_if(known.fresh_acting, gone);
        std::erase_if(known.dropped, [&](const ServicePtr& service) { return moved(*service); });
        for (auto& [number, part] : known.unacknowledged) {
            std::erase_if(part.items, gone);
        }
        std::erase_if(known.resends, [&](const auto& resend) {
            return known.unacknowledged.at(resend.second).items.empty();
        });
        std::erase_if(known.unacknowledged,
                      [](const auto& numbered) { return numbered.second.items.empty(); });
        if (known.pieces && !known.pieces->forgotten && moved(*known.pieces->list.service)) {
            waiting.emplace_back(std::move(known.pieces->list));
            known.pieces->forgotten = true;
        }
        for (auto& [seq, batch] : known.early) {
            const auto taken =
                std::stable_partition(batch.changes.begin(), batch.changes.end(),
                                      [&](const Told& told) { return !moved(*service_of(told)); });
            std::move(taken, batch.changes.end(), std::back_inserter(waiting));
            batch.changes.erase(taken, batch.changes.end());
        }
    }
    return waiting;
}

void InterestLinks::drop(const NodeId& leader, const ServicePtr& service) {
    Link& known = link(leader);
    for (auto* fresh : {&known.fresh, &known.fresh_acting}) {
        std::erase_if(*fresh, [&](const auto& item) { return *item.service == *service; });
    }
    known.dropped.push_back(service);
    owing_.insert(leader);
}

std::vector<InterestLinks::Told> InterestLinks::restart(const NodeId& leader) {
    Link& known = link(leader);
    std::vector<Told> waiting;
    if (known.pieces && !known.pieces->forgotten) {
        waiting.emplace_back(std::move(known.pieces->list));
    }
    for (auto& [seq, batch] : known.early) {
        std::ranges::move(batch.changes, std::back_inserter(waiting));
    }
    known = Link{.data = known.data, .stream = known.stream + 1};
    return waiting;
}

void InterestLinks::on_changes(const NodeId& leader, const msg::ChangeBatch& batch, MonoTime now,
                               const Take& take) {
    Link& known = link(leader);
    if (batch.stream != known.stream || batch.seq <= known.received) {
        return;
    }
    if (batch.seq > known.received + 1) {
        if (known.early.size() < kEarlyMax) {
            known.early.emplace(batch.seq, batch);
        }
        if (!known.gap) {
            known.gap = true;
            known.gap_since = now;
        }
        return;
    }
    take_next(known, batch, take);
    while (!known.early.empty() && known.early.begin()->first == known.received + 1) {
        take_next(known, known.early.begin()->second, take);
        known.early.erase(known.early.begin());
    }
    known.gap = !known.early.empty();
    known.gap_since = now;
    if (known.taken_owed) {
        owing_.insert(leader);
    }
}

// A list that comes in pieces is given on when it is whole.
void InterestLinks::take_next(Link& known, const msg::ChangeBatch& batch, const Take& take) {
    ++known.received;
    known.taken_owed = known.taken_owed || batch.ack_due;
    if (!batch.goes_on && !known.pieces) {
        take(batch);
        return;
    }
    if (!known.pieces) {
        known.pieces.emplace();
    }
    add_piece(*known.pieces, batch);
    if (batch.goes_on) {
        return;
    }
    Pieces all = *std::exchange(known.pieces, std::nullopt);
    if (!all.forgotten) {
        msg::ChangeBatch whole{
            .session = batch.session, .stream = batch.stream, .seq = batch.seq, .changes = {}};
        whole.changes.emplace_back(std::move(all.list));
        take(whole);
    }
}

void InterestLinks::add_piece(Pieces& pieces, const msg::ChangeBatch& batch) {
    const auto* piece =
        batch.changes.size() == 1 ? std::get_if<DatumSnapshot>(&batch.changes.front()) : nullptr;
    if (pieces.forgotten || piece == nullptr) {
        pieces = {.list = {}, .forgotten = true};
        return;
    }
    auto& [service, version, settled, publications, departed] = pieces.list;
    service = piece->service;
    version = piece->version;
    settled = piece->settled;
    publications.insert(publications.end(), piece->publications.begin(), piece->publications.end());
    departed.insert(departed.end(), piece->departed.begin(), piece->departed.end());
}

void InterestLinks::on_ack(const NodeId& leader, const msg::InterestAck& ack) {
    Link& known = link(leader);
    if (ack.stream == known.stream) {
        known.acknowledged = true;
        settle(known, ack.part);
    }
}

bool InterestLinks::on_heartbeat(const NodeId& leader, const msg::DataHeartbeat& heartbeat,
                                 MonoTime now) {
    Link& known = link(leader);
    if (heartbeat.data < known.data) {
        return false;
    }
    const bool began_anew = known.data != Incarnation{} && heartbeat.data > known.data;
    known.data = heartbeat.data;
    if (heartbeat.stream != known.stream) {
        // It had this stream and has it no longer: it began anew before we ever heard its life.
        return began_anew || (known.acknowledged && heartbeat.stream == 0);
    }
    if (heartbeat.waits) {
        known.taken_owed = true;
        owing_.insert(leader);
    }
    if (heartbeat.last_seq > known.received && !known.gap) {
        known.gap = true;
        known.gap_since = now;
    }
    return began_anew;
}

std::vector<NodeId> InterestLinks::broken(MonoTime now) const {
    std::vector<NodeId> leaders;
    for (const auto& [leader, known] : links_) {
        if (known.gap && now - known.gap_since >= gap_wait_) {
            leaders.push_back(leader);
        }
    }
    return leaders;
}

void InterestLinks::send_due(MonoTime now, msg::Outbox& outbox) {
    std::erase_if(owing_, [&](const NodeId& leader) {
        Link& known = links_.at(leader);
        send_due_of(leader, known, now, outbox);
        return known.unacknowledged.empty();
    });
}

void InterestLinks::send_due_of(const NodeId& leader, Link& known, MonoTime now,
                                msg::Outbox& outbox) const {
    if (!known.dropped.empty()) {
        outbox.send({leader, Role::data},
                    msg::InterestDrop{.session = session_,
                                      .stream = known.stream,
                                      .part = known.last_part,
                                      .services = std::exchange(known.dropped, {})});
    }
    if (std::exchange(known.taken_owed, false)) {
        outbox.send(
            {leader, Role::data},
            msg::ChangesTaken{.session = session_, .stream = known.stream, .seq = known.received});
    }
    std::set<std::uint64_t> due;
    for (const auto& [at, number] : known.resends) {
        if (at > now) {
            break;
        }
        due.insert(number);
    }
    for (const std::uint64_t number : due) {
        send(leader, known, number, now, outbox);
    }
    for (const bool acting : {false, true}) {
        auto& fresh = acting ? known.fresh_acting : known.fresh;
        for (std::size_t begin = 0; begin < fresh.size(); begin += kItemsPerPart) {
            const std::size_t end = std::min(begin + kItemsPerPart, fresh.size());
            Part& part = known.unacknowledged[++known.last_part];
            part.acting = acting;
            part.items.assign(fresh.begin() + static_cast<std::ptrdiff_t>(begin),
                              fresh.begin() + static_cast<std::ptrdiff_t>(end));
            send(leader, known, known.last_part, now, outbox);
        }
        fresh.clear();
    }
}

void InterestLinks::send(const NodeId& leader, Link& known, std::uint64_t number, MonoTime now,
                         msg::Outbox& outbox) const {
    Part& part = known.unacknowledged.at(number);
    known.resends.erase({part.resend_at, number});
    part.resend_at = now + part.wait;
    known.resends.emplace(part.resend_at, number);
    part.wait = std::min(part.wait * 2, resend_interval_);
    outbox.send({leader, Role::data}, msg::InterestDeclare{.session = session_,
                                                           .stream = known.stream,
                                                           .part = number,
                                                           .acting = part.acting,
                                                           .items = part.items});
}

// It arrived, and is not sent again.
void InterestLinks::settle(Link& known, std::uint64_t number) {
    const auto part = known.unacknowledged.find(number);
    if (part != known.unacknowledged.end()) {
        known.resends.erase({part->second.resend_at, number});
        known.unacknowledged.erase(part);
    }
}

std::optional<MonoTime> InterestLinks::next_due() const {
    std::optional<MonoTime> due;
    for (const NodeId& leader : owing_) {
        const auto& resends = links_.at(leader).resends;
        if (!resends.empty()) {
            due = std::min(due.value_or(resends.begin()->first), resends.begin()->first);
        }
    }
    return due;
}

}  // namespace muster::session
