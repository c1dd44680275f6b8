#include "raft/snapshot_builder.h"

#include <string_view>
#include <utility>

#include "base/check.h"
#include "base/hash.h"
#include "raft/membership.h"
#include "raft/record_log.h"

namespace muster::raft {

SnapshotBuilder::SnapshotBuilder(LogIndex index, Term term, const Membership& members,
                                 std::unique_ptr<StateView> view)
    : index_(index), term_(term), view_(std::move(view)), payload_(encode_membership(members)) {
    const std::size_t about = payload_.size() + view_->bytes_about();
    payload_.reserve(about);
    file_.reserve(kSnapshotHeaderBytes + about + snapshot_trailer(0).size());
    file_.resize(kSnapshotHeaderBytes);  // filled in when the size is known
    add(0);
}

void SnapshotBuilder::add(std::size_t from) {
    const std::string_view part = std::string_view(payload_).substr(from);
    crc_ = crc32c(part, crc_);
    file_ += part;
}

bool SnapshotBuilder::advance(std::size_t bytes_max) {
    const std::size_t before = payload_.size();
    const bool more = view_->append_part(payload_, bytes_max);
    add(before);
    if (more) {
        return false;
    }
    view_.reset();
    file_.replace(0, kSnapshotHeaderBytes, snapshot_header(index_, term_, payload_.size()));
    file_ += snapshot_trailer(crc_);
    return true;
}

SnapshotBuilder::Built SnapshotBuilder::take() {
    CHECK_BECAUSE(!view_, "not all parts were taken");
    return {.image = {.index = index_,
                      .term = term_,
                      .payload = std::make_shared<const std::string>(std::move(payload_)),
                      .crc = crc_},
            .file = std::move(file_)};
}

}  // namespace muster::raft
