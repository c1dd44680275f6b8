#include "roles/session/copied_list.h"

namespace muster::session {

CopiedList::CopiedList(const std::vector<PublicationPtr>& publications) {
    for (const PublicationPtr& publication : publications) {
        put(publication);
    }
}

void CopiedList::put(const PublicationPtr& publication) {
    const auto at = by_id_.lower_bound(publication->id);
    const bool here = at != by_id_.end() && (*at)->id == publication->id;
    by_id_.insert(here ? erase(at) : at, publication);
    digest_.add(shown_digest_of(*publication));
}

CopiedList::const_iterator CopiedList::erase(const_iterator at) {
    digest_.remove(shown_digest_of(**at));
    return by_id_.erase(at);
}

}  // namespace muster::session
