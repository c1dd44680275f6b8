#include "roles/session/registrations.h"

#include <algorithm>

#include "base/check.h"
#include "model/cluster.h"

namespace muster::session {
bool Registrations::outranked(env::ConnId conn, const Registration& registration) const {
    const auto number = conn_numbers_.find(conn);
    const auto owner = conn_numbers_.find(registration.conn);
    return number != conn_numbers_.end() && owner != conn_numbers_.end() &&
           number->second < owner->second;
}

std::optional<RegistOrder> Registrations::effective_order(const Publication& offered,
                                                          env::ConnId conn,
                                                          const Registration* registration) const {
    const RegistOrder order = offered.order;
    if (registration != nullptr) {
        const RegistOrder known = registration->publication->order;
        if (order > known) {
            return order;
        }
        // A client whose clock was set back while it reconnected still speaks for itself.
        if (order.version == known.version && order < known && conn != registration->conn) {
            return RegistOrder{known.version, known.timestamp_ms + 1};
        }
        return std::nullopt;
    }
    const auto grave = graves_.find(offered.id);
    if (grave == graves_.end() || order > grave->second.order) {
        return order;
    }
    if (!by_word(grave->second.cause) && order.version == grave->second.order.version) {
        return RegistOrder{order.version, grave->second.order.timestamp_ms + 1};
    }
    return std::nullopt;
}

Registrations::News Registrations::news_of(const Publication& offered, env::ConnId conn) const {
    const auto known = registrations_.find(offered.id);
    const bool is_known = known != registrations_.end();
    if ((is_known && outranked(conn, known->second)) ||
        !effective_order(offered, conn, is_known ? &known->second : nullptr)) {
        return News::none;
    }
    if (is_known) {
        const Registration& registration = known->second;
        const bool leased =
            registration.conn == env::ConnId{} && !registration.suspect && !registration.departed;
        return leased || registration.conn == conn ? News::change : News::first;
    }
    const auto grave = graves_.find(offered.id);
    return grave != graves_.end() && by_word(grave->second.cause) ? News::change : News::first;
}

Result<std::optional<Registrations::Op>> Registrations::offer(const PublicationPtr& publication,
                                                              env::ConnId conn, Duration lease,
                                                              MonoTime now) {
    const RegistId& id = publication->id;
    auto known = registrations_.lower_bound(id);
    const bool is_new = known == registrations_.end() || known->first != id;
    if (!is_new && *known->second.publication->service != *publication->service) {
        return fail(Errc::conflict, "registration id '" + id.raw() + "' is in use for " +
                                        known->second.publication->service->path());
    }
    if (!is_new && outranked(conn, known->second)) {
        return std::nullopt;
    }
    const auto order = effective_order(*publication, conn, is_new ? nullptr : &known->second);
    if (!order) {
        if (!is_new && publication->order >= known->second.publication->order) {
            hold(*known, conn, lease, now);
        }
        return std::nullopt;
    }
    const bool damped = is_new && damps(*publication, now);
    if (is_new) {
        known = registrations_.try_emplace(known, id);
    }
    Registration& registration = known->second;
    if (!is_new) {
        uncount(registration);
    } else if (roster_ != nullptr) {
        roster_->came(id);
    }
    if (damped) {
        registration.damped = true;
        damped_[id] = {.since = now, .shown_at = now + damping_->hold()};
    }
    if (*order == publication->order) {
        registration.publication = publication;
    } else {
        auto reordered = std::make_shared<Publication>(*publication);
        reordered->order = *order;
        registration.publication = std::move(reordered);
    }
    count(registration);
    hold(*known, conn, lease, now);
    if (registration.damped) {
        registration.owner_seq = ++last_seq_;  // what was said before it came does not let it go
        return std::nullopt;
    }
    return tell(registration);
}

// Until then a leader that begins is told that it went, if that was lately.
Registrations::Op Registrations::tell(Registration& registration) {
    registration.owner_seq = ++last_seq_;
    graves_.erase(registration.publication->id);
    return state(registration);
}

void Registrations::keep_lease(const RegistId& id, MonoTime now) {
    if (leased_.contains(id)) {
        Registration& registration = registrations_.at(id);
        registration.heard = now;
        suspect(registration, false);
    }
}

void Registrations::hold(Held& held, env::ConnId conn, Duration lease, MonoTime now) {
    auto& [id, registration] = held;
    const bool leased = lease > Duration{};
    own(held, leased ? env::ConnId{} : conn);
    registration.lease = lease;
    registration.heard = now;
    leased ? (void)leased_.insert(id) : (void)leased_.erase(id);
    depart(registration, false);
    suspect(registration, false);
}

void Registrations::suspect(Registration& registration, bool yes) {
    suspects_ += static_cast<std::size_t>(yes) - static_cast<std::size_t>(registration.suspect);
    registration.suspect = yes;
    if (yes) {
        suspects_end_ = std::max(suspects_end_, registration.heard + registration.lease);
    }
}

void Registrations::depart(Registration& registration, bool yes) {
    departed_ += static_cast<std::size_t>(yes) - static_cast<std::size_t>(registration.departed);
    registration.departed = yes;
}

void Registrations::own(Held& held, env::ConnId conn) {
    auto& [id, registration] = held;
    if (registration.conn == conn && conn != env::ConnId{}) {
        return;
    }
    if (const auto old = by_conn_.find(registration.conn); old != by_conn_.end()) {
        old->second.erase(&id);
        if (old->second.empty()) {
            by_conn_.erase(old);
        }
    }
    registration.conn = conn;
    if (conn != env::ConnId{}) {
        by_conn_[conn].insert(&id);
    }
}

Registrations::Op Registrations::removal(std::map<RegistId, Registration>::iterator found,
                                         RemovalCause cause, RegistOrder order, MonoTime now) {
    const Registration& registration = found->second;
    Op op{.id = found->first,
          .service = registration.publication->service,
          .order = order,
          .cause = cause,
          .owner_seq = ++last_seq_};
    // What many lost at once, or was sent away and lost on its way, is not the instance's doing.
    if (damping_ != nullptr &&
        (by_word(cause) || !(registration.suspect || registration.departed))) {
        damping_->went(*registration.publication, now);
    }
    erase(found);
    bury(op.id, {op.service, order, cause, now});
    return op;
}

void Registrations::erase(std::map<RegistId, Registration>::iterator found) {
    auto& [id, registration] = *found;
    own(*found, env::ConnId{});
    leased_.erase(id);
    depart(registration, false);
    suspect(registration, false);
    uncount(registration);
    if (registration.damped) {
        damped_.erase(id);
    }
    if (roster_ != nullptr) {
        roster_->left(id);
    }
    registrations_.erase(found);
}

bool Registrations::let_go(const RegistId& id, std::uint64_t owner_seq) {
    const auto found = registrations_.find(id);
    if (found == registrations_.end() || found->second.owner_seq > owner_seq) {
        return false;
    }
    erase(found);
    return true;
}

std::optional<Registrations::Op> Registrations::withdraw(const RegistId& id,
                                                         const ServicePtr& service,
                                                         RegistOrder order, MonoTime now) {
    const auto found = registrations_.find(id);
    if (found != registrations_.end() && *found->second.publication->service != *service) {
        return std::nullopt;
    }
    if (found == registrations_.end()) {
        if (roster_ != nullptr) {
            roster_->left(id);
        }
        bury(id, {service, order, RemovalCause::left, now});
        return Op{.id = id,
                  .service = service,
                  .order = order,
                  .cause = RemovalCause::left,
                  .owner_seq = ++last_seq_};
    }
    const RegistOrder known = found->second.publication->order;
    if (order.version < known.version) {
        return std::nullopt;
    }
    return removal(found, RemovalCause::left, std::max(order, known), now);
}

std::vector<Registrations::Op> Registrations::drop_connection(env::ConnId conn, MonoTime now) {
    std::vector<Op> ops;
    conn_numbers_.erase(conn);
    const auto owned = by_conn_.find(conn);
    if (owned == by_conn_.end()) {
        return ops;
    }
    const Owned ids = std::move(owned->second);
    by_conn_.erase(owned);
    ops.reserve(ids.size());
    for (const RegistId* id : ids) {
        const auto found = registrations_.find(*id);
        CHECK(found != registrations_.end());
        ops.push_back(removal(found, RemovalCause::closed, found->second.publication->order, now));
    }
    return ops;
}

void Registrations::release_connection(env::ConnId conn, Duration grace, MonoTime now) {
    conn_numbers_.erase(conn);
    const auto owned = by_conn_.find(conn);
    if (owned == by_conn_.end()) {
        return;
    }
    const Owned ids = owned->second;
    for (const RegistId* id : ids) {
        // Without a lease it would be nobody's and stay for ever.
        hold(*registrations_.find(*id), env::ConnId{}, std::max(grace, Duration(1)), now);
    }
}

void Registrations::depart_connection(env::ConnId conn, Duration grace, MonoTime now) {
    const auto owned = by_conn_.find(conn);
    const Owned ids = owned == by_conn_.end() ? Owned{} : owned->second;
    release_connection(conn, grace, now);
    for (const RegistId* id : ids) {
        depart(registrations_.at(*id), true);
    }
}

void Registrations::suspect_connection(env::ConnId conn, Duration patience, MonoTime now) {
    const auto owned = by_conn_.find(conn);
    const Owned ids = owned == by_conn_.end() ? Owned{} : owned->second;
    release_connection(conn, patience, now);
    for (const RegistId* id : ids) {
        suspect(registrations_.at(*id), true);
    }
}

std::vector<Registrations::Op> Registrations::expire_leases(MonoTime now, const MayGo& may_go,
                                                            Duration patience) {
    std::vector<RegistId> expired;
    std::size_t going = 0;  // of these, those that lived until now
    for (const RegistId& id : leased_) {
        Registration& registration = registrations_.at(id);
        if (now - registration.heard < registration.lease) {
            continue;
        }
        if (registration.suspect || registration.departed) {
            expired.push_back(id);
        } else if (may_go(leased() - going)) {
            expired.push_back(id);
            ++going;
        } else {
            registration.lease += patience;
            suspect(registration, true);
        }
    }
    return remove_silent(expired, now);
}

std::vector<Registrations::Op> Registrations::drop_suspects(MonoTime now, OperatorWord word) {
    std::vector<RegistId> gone;
    for (const RegistId& id : leased_) {
        if (registrations_.at(id).suspect) {
            gone.push_back(id);
        }
    }
    const auto said = std::make_shared<const OperatorWord>(std::move(word));
    auto ops = remove_silent(gone, now);
    for (Op& op : ops) {
        op.word = said;
    }
    return ops;
}

void Registrations::extend_suspects(Duration patience, MonoTime now) {
    for (const RegistId& id : leased_) {
        Registration& registration = registrations_.at(id);
        if (registration.suspect) {
            registration.heard = now;
            registration.lease = patience;
            suspect(registration, true);
        }
    }
}

std::vector<Registrations::Op> Registrations::remove_silent(const std::vector<RegistId>& ids,
                                                            MonoTime now) {
    std::vector<Op> ops;
    ops.reserve(ids.size());
    for (const RegistId& id : ids) {
        const auto found = registrations_.find(id);
        const bool confirmed = found->second.suspect;
        ops.push_back(removal(found, RemovalCause::silent, found->second.publication->order, now));
        ops.back().confirmed = confirmed;
    }
    return ops;
}

void Registrations::extend_leases(Duration gap) {
    suspects_end_ += gap;
    for (const RegistId& id : leased_) {
        registrations_.at(id).heard += gap;
    }
}

void Registrations::bury(const RegistId& id, const Grave& grave) {
    graves_[id] = grave;
    grave_ages_.push_back({grave.since, id, slot_of_grave(grave)});
    while (grave_ages_.size() > kGravesMax) {
        forget_oldest_grave();
    }
}

SlotId Registrations::slot_of_grave(const Grave& grave) const {
    return digests_.empty() ? SlotId{} : slot_of(*grave.service, digests_.size());
}

// Of one that was buried again since only the earlier burial is forgotten.
void Registrations::forget_oldest_grave() {
    const Aged& oldest = grave_ages_.front();
    if (const auto grave = graves_.find(oldest.id);
        grave != graves_.end() && grave->second.since == oldest.since) {
        graves_.erase(grave);
    }
    grave_ages_.pop_front();
}

void Registrations::forget_old_graves(MonoTime now) {
    for (std::size_t i = 0; i < kGravesAtOnce && !grave_ages_.empty(); ++i) {
        if (now - grave_ages_.front().since < kGraveAge) {
            return;
        }
        forget_oldest_grave();
    }
}

std::vector<Registrations::Op> Registrations::went_lately(const std::set<SlotId>& slots) {
    std::vector<Op> ops;
    for (const auto& [since, id, slot] : grave_ages_) {
        if (!slots.contains(slot)) {
            continue;
        }
        const auto found = graves_.find(id);
        if (found == graves_.end() || found->second.since != since) {
            continue;
        }
        const Grave& grave = found->second;
        ops.push_back({.id = id,
                       .service = grave.service,
                       .order = grave.order,
                       .cause = grave.cause,
                       .owner_seq = by_word(grave.cause) ? ++last_seq_ : 0});
    }
    return ops;
}

void Registrations::set_slot_count(std::size_t count) {
    if (digests_.size() == count) {
        return;
    }
    digests_.assign(count, {});
    for (Aged& aged : grave_ages_) {
        if (const auto grave = graves_.find(aged.id); grave != graves_.end()) {
            aged.slot = slot_of_grave(grave->second);
        }
    }
    for (const auto& [id, registration] : registrations_) {
        this->count(registration);
    }
}

Registrations::Digest Registrations::digest(SlotId slot) const {
    return slot.raw() < digests_.size() ? digests_[slot.raw()] : Digest{};
}

void Registrations::count(const Registration& registration) {
    if (!digests_.empty() && !registration.damped) {
        const Publication& publication = *registration.publication;
        Digest& digest = digests_[slot_of(*publication.service, digests_.size()).raw()];
        digest.digest.add(digest_of(publication.id, publication.order));
        ++digest.count;
    }
}

void Registrations::uncount(const Registration& registration) {
    if (!digests_.empty() && !registration.damped) {
        const Publication& publication = *registration.publication;
        Digest& digest = digests_[slot_of(*publication.service, digests_.size()).raw()];
        digest.digest.remove(digest_of(publication.id, publication.order));
        --digest.count;
    }
}

Registrations::Op Registrations::state(const Registration& registration) {
    return {.id = registration.publication->id,
            .service = registration.publication->service,
            .publication = registration.publication,
            .order = registration.publication->order,
            .owner_seq = registration.owner_seq};
}

std::optional<Registrations::Op> Registrations::state_of(const RegistId& id) const {
    const auto found = registrations_.find(id);
    return found == registrations_.end() || found->second.damped
               ? std::nullopt
               : std::optional(state(found->second));
}

void Registrations::for_each(const std::function<void(const Op&)>& visit) const {
    for (const auto& [id, registration] : registrations_) {
        if (!registration.damped) {
            visit(state(registration));
        }
    }
}

void Registrations::for_each_after(const RegistId& after,
                                   const std::function<bool(const Op&)>& visit) const {
    for (auto next = registrations_.upper_bound(after); next != registrations_.end(); ++next) {
        if (!next->second.damped && !visit(state(next->second))) {
            return;
        }
    }
}

std::size_t Registrations::owned_by(env::ConnId conn) const {
    const auto owned = by_conn_.find(conn);
    return owned == by_conn_.end() ? 0 : owned->second.size();
}

}  // namespace muster::session
