#include "roles/session/datum_copies.h"

#include <algorithm>
#include <iterator>
#include <utility>

#include "store/version_clock.h"

namespace muster::session {

std::pair<DatumCopy::Departed::Gone&, bool> DatumCopy::Departed::remember(const RegistId& id) {
    const auto known = gone_.find(id);
    if (known != gone_.end()) {
        return {known->second, false};
    }
    if (ages_.size() == kMax) {
        gone_.erase(ages_.front());
        ages_.pop_front();
    }
    ages_.push_back(id);
    return {gone_[id], true};
}

void DatumCopy::Departed::left(const RegistId& id, RegistOrder order) {
    auto [gone, is_new] = remember(id);
    if (is_new || gone.order <= order) {
        gone = {.order = order, .connection = {}};
    }
}

void DatumCopy::Departed::lost(const RegistId& id, RegistOrder order, std::uint64_t connection) {
    auto [gone, is_new] = remember(id);
    if (is_new || gone.order < order || (gone.connection && gone.order == order)) {
        gone = {.order = order, .connection = connection};
    }
}

void DatumCopy::Departed::came(const RegistId& id) {
    const auto known = gone_.find(id);
    if (known != gone_.end() && known->second.connection) {
        gone_.erase(known);
    }
}

bool DatumCopy::Departed::outdates(const Publication& publication) const {
    const auto known = gone_.find(publication.id);
    return known != gone_.end() && publication.order.version < known->second.order.version;
}

bool DatumCopy::Departed::holds(const Publication& publication) const {
    const auto known = gone_.find(publication.id);
    if (known == gone_.end()) {
        return false;
    }
    const Gone& gone = known->second;
    if (!gone.connection) {
        return publication.order <= gone.order;
    }
    return publication.order.version < gone.order.version ||
           (publication.order <= gone.order && *gone.connection == connection_of(publication));
}

namespace {

void remember_newest(std::vector<Version>& seen, Version version) {
    const auto at = std::ranges::lower_bound(seen, version);
    if (at == seen.end() || *at != version) {
        seen.insert(at, version);
    }
    if (seen.size() > DatumCopy::kSeenMax) {
        seen.erase(seen.begin());
    }
}

}  // namespace

void DatumCopy::doubt(Version seen) {
    remember_newest(doubted, seen);
}

msg::InterestDeclare::Item declaration_of(const DatumCopy& copy) {
    msg::InterestDeclare::Item item{
        .service = copy.service,
        .held = copy.diverged ? Version{} : copy.version,
        .complete = copy.complete && !copy.diverged && copy.doubted.empty(),
        .heard = std::max(copy.heard, copy.version),
        .doubted = copy.doubted};
    if (copy.diverged && copy.version < item.heard) {
        item.doubted.push_back(copy.version);
    }
    std::ranges::copy_if(copy.ahead, std::back_inserter(item.doubted),
                         [&](Version seen) { return seen != item.heard; });
    return item;
}

DatumCopy& DatumCopies::find_or_make(const ServicePtr& service) {
    const auto [found, inserted] = copies_.try_emplace(service->data_info_id());
    if (inserted) {
        found->second.service = service;
        unwanted_.insert(found->first);
    }
    return found->second;
}

DatumCopy* DatumCopies::find(const Service& service) {
    const auto found = copies_.find(service.data_info_id());
    return found == copies_.end() ? nullptr : &found->second;
}

const DatumCopy* DatumCopies::find(const Service& service) const {
    const auto found = copies_.find(service.data_info_id());
    return found == copies_.end() ? nullptr : &found->second;
}

void DatumCopies::advance(DatumCopy& copy, Version to, std::vector<RegistId> touched) {
    const bool from_own = copy.told && copy.told->version < copy.version;
    copy.steps.push_back({copy.version, to, std::move(touched), from_own});
    if (copy.steps.size() > steps_max_) {
        copy.steps.pop_front();
    }
    copy.version = to;
    copy.ahead.erase(copy.ahead.begin(), std::ranges::upper_bound(copy.ahead, to));
    copy.views.clear();
    copy.folds.clear();
}

namespace {

// What holds more than a leader told of, or not what it told, is told whole at some time anyway.
bool differs(const DatumCopy& copy, const DatumChange& change) {
    return change.digest && copy.complete && !copy.diverged && copy.untold.empty() &&
           *change.digest != copy.publications.digest();
}

}  // namespace

Folded DatumCopies::fold(const DatumChange& change) {
    DatumCopy* copy = find(*change.service);
    if (copy == nullptr || change.to <= copy->version) {
        return Folded::nothing;
    }
    if (change.from != copy->version) {
        return Folded::gap;
    }
    std::vector<RegistId> touched;
    for (const PublicationPtr& publication : change.upserts) {
        const auto known = copy->publications.find(publication->id);
        const bool here = known != copy->publications.end();
        if (here ? (*known)->order > publication->order : copy->departed.outdates(*publication)) {
            continue;  // the leader has not heard of the newer state yet
        }
        copy->publications.put(publication);
        copy->untold.erase(publication->id);
        copy->departed.came(publication->id);
        touched.push_back(publication->id);
    }
    for (const Departure& gone : change.removals) {
        copy->departed.went(gone);
        copy->untold.erase(gone.id);
        const auto known = copy->publications.find(gone.id);
        if (known != copy->publications.end()) {
            if ((*known)->order > gone.order) {
                copy->departed.lost(gone.id, (*known)->order, connection_of(**known));
            }
            copy->publications.erase(known);
        }
        // Also what is not here: a client from another session may have been shown it.
        touched.push_back(gone.id);
    }
    advance(*copy, change.to, std::move(touched));
    copy->told.reset();
    if (differs(*copy, change)) {
        copy->diverged = true;
        return Folded::differs;
    }
    return Folded::changed;
}

Folded DatumCopies::fold(const DatumSnapshot& snapshot) {
    DatumCopy* copy = find(*snapshot.service);
    if (copy == nullptr || snapshot.version < copy->version ||
        (snapshot.version == copy->version &&
         ((copy->complete && copy->doubted.empty()) || !snapshot.settled))) {
        return Folded::nothing;
    }
    for (const Departure& gone : snapshot.departed) {
        copy->departed.went(gone);
    }
    std::vector<RegistId> touched;
    CopiedList next(snapshot.publications);
    if (!snapshot.settled) {
        for (auto told = next.begin(); told != next.end();) {
            told = copy->departed.holds(**told) ? next.erase(told) : std::next(told);
        }
    }
    copy->untold.clear();
    for (const PublicationPtr& old : copy->publications) {
        const auto kept = next.find(old->id);
        if (kept == next.end()) {
            if (snapshot.settled) {
                copy->departed.lost(old->id, old->order, connection_of(*old));
                touched.push_back(old->id);
            } else if (copy->departed.holds(*old)) {
                touched.push_back(old->id);
            } else {
                next.put(old);
                copy->untold.insert(old->id);
            }
        } else if (!snapshot.settled && (*kept)->order < old->order) {
            next.put(old);  // the leader has not heard of the newer state yet
        }
    }
    for (const PublicationPtr& publication : next) {
        const auto old = copy->publications.find(publication->id);
        if (old == copy->publications.end() || !(**old == *publication)) {
            copy->departed.came(publication->id);
            touched.push_back(publication->id);
        }
    }
    copy->publications = std::move(next);
    copy->complete = copy->complete || snapshot.settled;
    copy->diverged = copy->diverged && !snapshot.settled;
    if (snapshot.settled) {
        copy->doubted.clear();
    }
    advance(*copy, snapshot.version, std::move(touched));
    copy->told.reset();
    return Folded::changed;
}

namespace {

void note_departed_in(DatumCopy::Departed& departed, const DatumChange& change) {
    for (const PublicationPtr& publication : change.upserts) {
        departed.came(publication->id);
    }
    for (const Departure& gone : change.removals) {
        departed.went(gone);
    }
}

void note_departed_in(DatumCopy::Departed& departed, const DatumSnapshot& snapshot) {
    for (const Departure& gone : snapshot.departed) {
        departed.went(gone);
    }
    if (snapshot.settled) {
        for (const PublicationPtr& publication : snapshot.publications) {
            departed.came(publication->id);
        }
    }
}

}  // namespace

void DatumCopies::note_departed(const std::variant<DatumChange, DatumSnapshot>& told) {
    std::visit(
        [this](const auto& known) {
            if (DatumCopy* copy = find(*known.service); copy != nullptr) {
                note_departed_in(copy->departed, known);
            }
        },
        told);
}

// Given beside the leader, as by who acts in its stead: whoever is shown one of these asks anew
// what sessions own, and takes nothing away before.
Version DatumCopies::next_own(Version above) const {
    return store::apart_from(Version(above.raw() + 1), own_number_ % store::kApart);
}

bool DatumCopies::fold_own(DatumCopy& copy, const RegistId& id, const PublicationPtr& publication,
                           RegistOrder order) {
    if (copy.version.raw() == 0) {
        return false;
    }
    if (publication == nullptr) {
        copy.departed.left(id, order);  // an older word of it may be said later, or come back
    }
    const auto known = copy.publications.find(id);
    const bool here = known != copy.publications.end();
    if (publication == nullptr ? !here || (*known)->order > order
        : here                 ? (*known)->order >= order
                               : copy.departed.holds(*publication)) {
        return false;  // also what is drained
    }
    if (!copy.told) {
        copy.told = DatumCopy::Told{copy.version, copy.publications};
    }
    if (publication != nullptr) {
        copy.publications.put(publication);
    } else {
        copy.publications.erase(known);
    }
    copy.diverged = true;
    advance(copy, next_own(std::max(copy.version, copy.heard)), {id});
    return true;
}

namespace {

bool shows_all(const PublicationPtr& /*any*/) {
    return true;
}

// Of these publications, those that `shows` is true of.
template <typename Shows = decltype(shows_all)>
std::shared_ptr<ServiceView> make_view(const DatumCopy& copy, Version version,
                                       const CopiedList& publications, Scope scope,
                                       const std::string& zone, const Shows& shows = shows_all) {
    auto made = std::make_shared<ServiceView>();
    made->service = copy.service;
    made->version = version;
    made->complete = copy.complete;
    for (const PublicationPtr& publication : publications) {
        if ((scope != Scope::zone || publication->zone == zone) && shows(publication)) {
            made->digest.add(digest_of(publication->id, publication->order));
            made->publications.push_back(publication);
        }
    }
    return made;
}

}  // namespace

ServiceViewPtr DatumCopies::view(DatumCopy& copy, Scope scope, const std::string& zone) {
    ServiceViewPtr& cached = copy.views[scope == Scope::zone ? zone : std::string()];
    if (cached == nullptr) {
        cached = make_view(copy, copy.version, copy.publications, scope, zone);
    }
    return cached;
}

ServiceViewPtr DatumCopies::told_view(const DatumCopy& copy, Scope scope, const std::string& zone) {
    return make_view(copy, copy.told->version, copy.told->publications, scope, zone);
}

ServiceViewPtr DatumCopies::stray_view(const DatumCopy& copy, Scope scope,
                                       const std::string& zone) {
    const auto surely_there = [&](const PublicationPtr& publication) {
        if (!copy.told) {
            return !copy.untold.contains(publication->id);
        }
        const auto told = copy.told->publications.find(publication->id);
        return told == copy.told->publications.end() || *told != publication;
    };
    const auto view = make_view(copy, copy.version, copy.publications, scope, zone, surely_there);
    view->complete = false;
    return view;
}

bool DatumCopies::knows(const DatumCopy& copy, Version held) {
    if (copy.told && held > copy.told->version) {
        return false;
    }
    if (held >= copy.version) {
        return true;
    }
    for (auto step = copy.steps.rbegin(); step != copy.steps.rend(); ++step) {
        if (step->from <= held) {
            return (step->from == held && !step->from_own) || step->from == Version{};
        }
    }
    return true;
}

bool DatumCopies::note_held(DatumCopy& copy, Version held) {
    copy.heard = std::max(copy.heard, held);
    if (!knows(copy, held)) {
        copy.doubt(held);
        return false;
    }
    if (held > copy.version) {
        remember_newest(copy.ahead, held);
    }
    return true;
}

std::optional<std::uint32_t> DatumCopies::steps_since(const DatumCopy& copy, Version held) {
    std::uint32_t count = 0;
    for (auto step = copy.steps.rbegin(); step != copy.steps.rend(); ++step, ++count) {
        if (step->to == held) {
            return count;
        }
    }
    const bool from_first = !copy.steps.empty() && copy.steps.front().from == held;
    return from_first ? std::optional(count) : std::nullopt;
}

std::optional<Version> DatumCopies::without_since(const DatumCopy& copy,
                                                  const std::vector<RegistId>& ids) {
    const auto shows = [&](const RegistId& id) { return copy.publications.contains(id); };
    if (copy.steps.empty() || std::ranges::any_of(ids, shows)) {
        return std::nullopt;
    }
    const std::set<RegistId> asked(ids.begin(), ids.end());
    const auto is_asked = [&](const RegistId& id) { return asked.contains(id); };
    for (auto step = copy.steps.rbegin(); step != copy.steps.rend(); ++step) {
        if (std::ranges::any_of(step->touched, is_asked)) {
            return step->to;
        }
    }
    const DatumCopy::Step& first = copy.steps.front();
    return first.from == Version{} ? first.to : first.from;
}

ViewDeltaPtr DatumCopies::delta(const DatumCopy& copy, const ServiceView& view, Version held) {
    std::set<RegistId> touched;
    bool reaches = held == copy.version;  // nothing changed: an empty difference confirms
    for (auto step = copy.steps.rbegin(); !reaches && step != copy.steps.rend(); ++step) {
        touched.insert(step->touched.begin(), step->touched.end());
        if (touched.size() > view.publications.size()) {
            return nullptr;
        }
        if (step->from == held) {
            reaches = true;
            break;
        }
    }
    if (!reaches || held.raw() == 0) {
        return nullptr;
    }
    auto delta = std::make_shared<ViewDelta>();
    delta->from = held;
    delta->to = copy.version;
    for (const RegistId& id : touched) {
        const auto shown = std::ranges::lower_bound(
            view.publications, id, {},
            [](const PublicationPtr& p) -> const RegistId& { return p->id; });
        if (shown != view.publications.end() && (*shown)->id == id) {
            delta->upserts.push_back(*shown);
        } else {
            delta->removals.push_back(id);
        }
    }
    return delta;
}

ViewDeltaPtr DatumCopies::shared_delta(DatumCopy& copy, const ServiceViewPtr& view, Version held) {
    const auto known = std::ranges::find_if(copy.folds, [&](const DatumCopy::Fold& fold) {
        return fold.view == view && fold.from == held;
    });
    if (known != copy.folds.end()) {
        return known->delta;
    }
    if (copy.folds.size() == DatumCopy::kFoldsMax) {
        copy.folds.erase(copy.folds.begin());
    }
    return copy.folds.emplace_back(view, held, delta(copy, *view, held)).delta;
}

void DatumCopies::want(DatumCopy& copy) {
    if (!std::exchange(copy.wanted, true)) {
        unwanted_.erase(copy.service->data_info_id());
    }
}

void DatumCopies::unwant(DatumCopy& copy, MonoTime now) {
    copy.unwanted_since = now;
    if (std::exchange(copy.wanted, false)) {
        unwanted_.insert(copy.service->data_info_id());
    }
}

std::vector<ServicePtr> DatumCopies::forget_unwanted(MonoTime now, Duration age) {
    std::vector<ServicePtr> forgotten;
    std::erase_if(unwanted_, [&](const std::string& name) {
        const auto copy = copies_.find(name);
        if (now - copy->second.unwanted_since < age) {
            return false;
        }
        forgotten.push_back(copy->second.service);
        copies_.erase(copy);
        return true;
    });
    return forgotten;
}

}  // namespace muster::session
